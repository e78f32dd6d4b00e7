// The relay over real sockets: framing, half-close, back-pressure, limits.
#include "proxy/relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "proxy/reactor.h"
#include "proxy/stream.h"

namespace dockreeve::proxy {
namespace {

// Two ends of a unix socket: `inner` for the code under test, `outer` for the test.
struct Pair {
  int inner = -1, outer = -1;
  Pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) std::abort();
    inner = fds[0];
    outer = fds[1];
    fcntl(inner, F_SETFL, fcntl(inner, F_GETFL) | O_NONBLOCK);
  }
  void close_outer() {
    if (outer >= 0) close(outer);
    outer = -1;
  }
  ~Pair() { close_outer(); }
};

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    ASSERT_GT(sent, 0);
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_to_end(int fd) {
  std::string out;
  char buffer[65536];
  for (ssize_t got = recv(fd, buffer, sizeof buffer, 0); got > 0; got = recv(fd, buffer, sizeof buffer, 0)) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

// Runs `work` on a reactor until it ends, while `peer` plays the other sides on a thread.
void run(Reactor& reactor, Task<void> work, const std::function<void()>& peer) {
  std::thread other(peer);
  struct Runner {
    static Task<void> go(Reactor& loop, Task<void> inner) {
      co_await std::move(inner);
      loop.release();
      loop.stop();
    }
  };
  reactor.hold();
  reactor.post([&reactor, &work] { spawn(Runner::go(reactor, std::move(work))); });
  reactor.run();
  other.join();
}

struct Exchange {
  RelayEnd end;
  std::string client_input;
};

Task<void> respond(int client_fd, int engine_fd, Reactor& reactor, BodyFraming framing, std::string early,
                   RelayLimits limits, Exchange& out) {
  Stream client(reactor, client_fd);
  Stream engine(reactor, engine_fd);
  out.end = co_await relay_response(client, engine, "HEAD\r\n\r\n", std::move(early), framing, limits, out.client_input);
}

TEST(RelayResponse, PassesExactlyTheFramedBody) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Length;
  framing.length = 10;
  std::string seen;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "01234", {}, out), [&] {
    send_all(engine.outer, "56789");
    seen = read_to_end(client.outer);
  });
  EXPECT_EQ(seen, "HEAD\r\n\r\n0123456789");
  EXPECT_TRUE(out.end.client_usable);
  EXPECT_TRUE(out.end.engine_usable);
}

TEST(RelayResponse, SurplusBytesMakeTheEngineConnectionUnusable) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Length;
  framing.length = 3;
  std::string seen;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "abcHTTP/1.1 200", {}, out),
      [&] { seen = read_to_end(client.outer); });
  EXPECT_EQ(seen, "HEAD\r\n\r\nabc");
  EXPECT_FALSE(out.end.engine_usable);
}

TEST(RelayResponse, ChunksPassVerbatimAndMalformedOnesEndIt) {
  for (const bool good : {true, false}) {
    Reactor reactor;
    Pair client;
    Pair engine;
    Exchange out;
    BodyFraming framing;
    framing.kind = BodyFraming::Kind::Chunked;
    const std::string body = good ? "3\r\nabc\r\n0\r\n\r\n" : "3;x\r\nabc\r\n0\r\n\r\n";
    std::string seen;
    run(reactor, respond(client.inner, engine.inner, reactor, framing, "", {}, out), [&] {
      send_all(engine.outer, body);
      seen = read_to_end(client.outer);
    });
    EXPECT_EQ(out.end.client_usable, good);
    if (good) {
      EXPECT_EQ(seen, "HEAD\r\n\r\n" + body);
    }
  }
}

TEST(RelayResponse, UnchunksForOldClients) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Unchunk;
  std::string seen;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "3\r\nab", {}, out), [&] {
    send_all(engine.outer, "c\r\n2\r\nde\r\n0\r\n\r\n");
    seen = read_to_end(client.outer);
  });
  EXPECT_EQ(seen, "HEAD\r\n\r\nabcde");
}

TEST(RelayResponse, BigBodyToASlowReaderArrivesWhole) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Length;
  framing.length = 8u << 20;
  const std::string body(8u << 20, 'x');
  std::string seen;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "", {}, out), [&] {
    std::thread writer([&] { send_all(engine.outer, body); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    seen = read_to_end(client.outer);
    writer.join();
  });
  EXPECT_EQ(seen.size(), body.size() + 8);
  EXPECT_TRUE(out.end.client_usable);
}

TEST(RelayResponse, AVanishedClientEndsAnEndlessAnswer) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Chunked;
  std::string engine_saw;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "", {}, out), [&] {
    client.close_outer();
    engine_saw = read_to_end(engine.outer);  // ends only when the relay lets go of the engine
  });
  EXPECT_FALSE(out.end.client_usable);
}

TEST(RelayResponse, PipelinedBytesAreKeptForLater) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Length;
  framing.length = 1;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "", {}, out), [&] {
    send_all(client.outer, "GET /next");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    send_all(engine.outer, "x");
    static_cast<void>(read_to_end(client.outer));
  });
  EXPECT_TRUE(out.end.client_usable);
  EXPECT_EQ(out.client_input, "GET /next");
}

TEST(RelayResponse, IdleLimitCutsOnlyWhenConfigured) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Exchange out;
  BodyFraming framing;
  framing.kind = BodyFraming::Kind::Chunked;
  RelayLimits limits;
  limits.idle_ms = 50;
  run(reactor, respond(client.inner, engine.inner, reactor, framing, "", limits, out),
      [&] { static_cast<void>(read_to_end(client.outer)); });
  EXPECT_FALSE(out.end.client_usable);
}

Task<void> hijack(int client_fd, int engine_fd, Reactor& reactor, std::string to_engine, Millis idle) {
  Stream client(reactor, client_fd);
  Stream engine(reactor, engine_fd);
  co_await relay_hijacked(client, engine, "101\r\n\r\n", std::move(to_engine), idle);
}

TEST(RelayHijacked, HalfCloseOfTheClientLetsLateOutputThrough) {
  Reactor reactor;
  Pair client;
  Pair engine;
  std::string engine_saw;
  std::string client_saw;
  run(reactor, hijack(client.inner, engine.inner, reactor, "early ", 0), [&] {
    send_all(client.outer, "stdin");
    shutdown(client.outer, SHUT_WR);
    engine_saw = read_to_end(engine.outer);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    send_all(engine.outer, "late output");
    engine.close_outer();
    client_saw = read_to_end(client.outer);
  });
  EXPECT_EQ(engine_saw, "early stdin");
  EXPECT_EQ(client_saw, "101\r\n\r\nlate output");
}

TEST(RelayHijacked, EndsAWhileAfterTheEngineClosedThoughTheClientKeepsOpen) {
  Reactor reactor;
  Pair client;
  Pair engine;
  std::string client_saw;
  run(reactor, hijack(client.inner, engine.inner, reactor, "", 0), [&] {
    send_all(engine.outer, "bye");
    shutdown(engine.outer, SHUT_WR);
    client_saw = read_to_end(client.outer);  // half-closed towards us
    char byte = 0;
    while (send(client.outer, &byte, 1, MSG_NOSIGNAL) == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  EXPECT_EQ(client_saw, "101\r\n\r\nbye");
}

TEST(RelayHijacked, MegabytesBothWaysAtOnce) {
  Reactor reactor;
  Pair client;
  Pair engine;
  const std::string up(3u << 20, 'u');
  const std::string down(5u << 20, 'd');
  std::string engine_saw;
  std::string client_saw;
  run(reactor, hijack(client.inner, engine.inner, reactor, "", 0), [&] {
    std::thread a([&] {
      send_all(client.outer, up);
      shutdown(client.outer, SHUT_WR);
    });
    std::thread b([&] {
      send_all(engine.outer, down);
      shutdown(engine.outer, SHUT_WR);
    });
    std::thread c([&] { engine_saw = read_to_end(engine.outer); });
    client_saw = read_to_end(client.outer);
    a.join();
    b.join();
    c.join();
  });
  EXPECT_EQ(engine_saw, up);
  EXPECT_EQ(client_saw.size(), down.size() + 7);
}

TEST(RelayHijacked, IdleLimitEndsASilentStream) {
  Reactor reactor;
  Pair client;
  Pair engine;
  run(reactor, hijack(client.inner, engine.inner, reactor, "", 50),
      [&] { static_cast<void>(read_to_end(client.outer)); });
}

Task<void> upload_task(int client_fd, int engine_fd, Reactor& reactor, std::string input, Upload& upload) {
  Stream client(reactor, client_fd);
  Stream engine(reactor, engine_fd);
  co_await pump_upload(client, engine, input, upload);
}

TEST(PumpUpload, ChunksAreReadStrictlyAndFramedAnew) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Upload upload;
  upload.chunked = true;
  std::string engine_saw;
  run(reactor, upload_task(client.inner, engine.inner, reactor, "3\r\nab", upload), [&] {
    send_all(client.outer, "c\r\nA\r\n0123456789\r\n0\r\n\r\n");
    engine_saw = read_to_end(engine.outer);
  });
  EXPECT_TRUE(upload.complete);
  EXPECT_TRUE(engine_saw.ends_with("a\r\n0123456789\r\n0\r\n\r\n")) << engine_saw;
}

TEST(PumpUpload, CompressedArchivesAreRefusedBeforeAByteIsPassedOn) {
  using namespace std::string_literals;
  for (const std::string& magic : {"\x1f\x8b\x08"s, "BZh91AY"s, "\xfd\x37zXZ\0"s, "\x28\xb5\x2f\xfd"s, "\x5a\x2a\x4d\x18"s}) {
    for (const bool chunked : {true, false}) {
      Reactor reactor;
      Pair client;
      Pair engine;
      Upload upload;
      upload.chunked = chunked;
      upload.length = magic.size() + 20;
      std::string engine_saw;
      run(reactor, upload_task(client.inner, engine.inner, reactor, "", upload), [&] {
        for (const char byte : magic + std::string(20, 'x')) {
          const std::string piece = chunked ? "1\r\n"s + byte + "\r\n" : std::string(1, byte);
          if (send(client.outer, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
        }
        engine_saw = read_to_end(engine.outer);
      });
      EXPECT_TRUE(upload.compressed);
      EXPECT_FALSE(upload.complete);
      EXPECT_EQ(engine_saw, "");
    }
  }
}

TEST(PumpUpload, ShortPlainBodiesPass) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Upload upload;
  upload.length = 4;
  std::string engine_saw;
  run(reactor, upload_task(client.inner, engine.inner, reactor, "ab", upload), [&] {
    send_all(client.outer, "cd");
    engine_saw = read_to_end(engine.outer);
  });
  EXPECT_TRUE(upload.complete);
  EXPECT_EQ(engine_saw, "abcd");
}

TEST(PumpUpload, ABodyThatBreaksOffIsNotComplete) {
  Reactor reactor;
  Pair client;
  Pair engine;
  Upload upload;
  upload.length = 10;
  run(reactor, upload_task(client.inner, engine.inner, reactor, "abc", upload), [&] {
    client.close_outer();
    static_cast<void>(read_to_end(engine.outer));
  });
  EXPECT_FALSE(upload.complete);
  EXPECT_TRUE(upload.bad);
}

}  // namespace
}  // namespace dockreeve::proxy
