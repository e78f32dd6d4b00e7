#include "proxy/head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dockreeve::proxy {
namespace {

std::string get(const std::string& headers) { return "GET /_ping HTTP/1.1\r\n" + headers + "\r\n"; }

struct Row {
  const char* name;
  std::string block;
  int status;  // 0: accepted
};

class RequestHeadRows : public ::testing::TestWithParam<Row> {};

TEST_P(RequestHeadRows, AreReadOneWayOrRefused) {
  const auto head = parse_request_head(GetParam().block);
  if (GetParam().status == 0) {
    EXPECT_TRUE(head.has_value()) << (head ? "" : head.error().detail);
  } else {
    ASSERT_FALSE(head.has_value());
    EXPECT_EQ(head.error().status, GetParam().status) << head.error().detail;
    EXPECT_FALSE(head.error().detail.empty());
  }
}

std::vector<Row> rows() {
  const std::string host = "Host: docker\r\n";
  std::vector<Row> all = {
      {"plain", get(host), 0},
      {"lower case names", get("host: docker\r\nuser-agent: x\r\n"), 0},
      {"empty host", get("Host:\r\n"), 0},
      {"chunked", get(host + "Transfer-Encoding: chunked\r\n"), 0},
      {"chunked, any case, blanks around", get(host + "Transfer-Encoding: \t ChunKed \t\r\n"), 0},
      {"zero length", get(host + "Content-Length: 0\r\n"), 0},
      {"expect", get(host + "Expect: 100-Continue\r\n"), 0},
      {"http/1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
      {"identity encoding of content", get(host + "Content-Encoding: identity\r\n"), 0},

      {"both framings", get(host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"both framings, zero", get(host + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"identity", get(host + "Transfer-Encoding: identity\r\n"), 400},
      {"gzip, chunked", get(host + "Transfer-Encoding: gzip, chunked\r\n"), 400},
      {"chunked, chunked", get(host + "Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"two encodings", get(host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"empty encoding", get(host + "Transfer-Encoding:\r\n"), 400},
      {"quoted encoding", get(host + "Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"encoding with parameter", get(host + "Transfer-Encoding: chunked;q=1\r\n"), 400},
      {"xchunked", get(host + "Transfer-Encoding: xchunked\r\n"), 400},
      {"vertical tab", get(host + "Transfer-Encoding: \vchunked\r\n"), 400},
      {"folded encoding", get(host + "Transfer-Encoding:\r\n chunked\r\n"), 400},
      {"folded anything", get(host + "X: a\r\n\tb\r\n"), 400},
      {"fold as first header", get(" Host: docker\r\n"), 400},
      {"space before colon", get(host + "Transfer-Encoding : chunked\r\n"), 400},
      {"encoding on http/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"two equal lengths", get(host + "Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"two different lengths", get(host + "Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"list of lengths", get(host + "Content-Length: 5, 5\r\n"), 400},
      {"plus length", get(host + "Content-Length: +5\r\n"), 400},
      {"negative length", get(host + "Content-Length: -1\r\n"), 400},
      {"hex length", get(host + "Content-Length: 0x5\r\n"), 400},
      {"length with leading zeros", get(host + "Content-Length: 0042\r\n"), 400},
      {"huge length", get(host + "Content-Length: 18446744073709551616\r\n"), 400},
      {"empty length", get(host + "Content-Length:\r\n"), 400},
      {"no host", get(""), 400},
      {"two hosts", get(host + host), 400},
      {"host with a space", get("Host: a b\r\n"), 400},
      {"host with a path", get("Host: a/b\r\n"), 400},
      {"host with userinfo", get("Host: u@h\r\n"), 400},
      {"empty header name", get(host + ": x\r\n"), 400},
      {"space in name", get(host + "X Y: z\r\n"), 400},
      {"no colon", get(host + "hello\r\n"), 400},
      {"nul in value", get(host + std::string("X: a\0b\r\n", 8)), 400},
      {"bare cr in value", get(host + "X: a\rb\r\n"), 400},
      {"bare lf line end", "GET / HTTP/1.1\nHost: x\n\r\n\r\n", 400},
      {"lf inside headers", get(host + "X: a\nY: b\r\n"), 400},
      {"delete character", get(host + "X: \x7f\r\n"), 400},
      {"other expectation", get(host + "Expect: magic\r\n"), 417},
      {"expect twice", get(host + "Expect: 100-continue\r\nExpect: 100-continue\r\n"), 400},
      {"gzip body", get(host + "Content-Encoding: gzip\r\n"), 415},
      {"content type twice", get(host + "Content-Type: application/json\r\nContent-Type: text/plain\r\n"), 400},
      {"upgrade twice", get(host + "Upgrade: tcp\r\nUpgrade: h2c\r\n"), 400},
      {"http/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 505},
      {"http/2.0 preface", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"http/0.9", "GET /\r\n\r\n", 400},
      {"absolute form", "GET http://x/_ping HTTP/1.1\r\n" + host + "\r\n", 400},
      {"foreign scheme", "GET foo://x/_ping HTTP/1.1\r\n" + host + "\r\n", 400},
      {"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400},
      {"authority form", "CONNECT x:80 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"leading empty line", "\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"tab in request line", "GET\t/ HTTP/1.1\r\n" + host + "\r\n", 400},
      {"space in target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"method with a bracket", "G(T / HTTP/1.1\r\n" + host + "\r\n", 400},
  };
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 99; ++i) many += "X: y\r\n";
  all.push_back({"100 headers", many + "\r\n", 0});
  all.push_back({"101 headers", many + "X: y\r\n\r\n", 431});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Table, RequestHeadRows, ::testing::ValuesIn(rows()));

TEST(RequestHead, CarriesWhatTheGatewayUses) {
  const auto head = parse_request_head(
      "POST /v1.41/containers/create?name=x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Content-Length: 12\r\nUser-Agent: Docker-Client/28.2.2 (linux)\r\nConnection: Upgrade, CLOSE\r\n"
      "Upgrade: tcp\r\nX-Registry-Auth: e30=\r\n\r\n");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1.41/containers/create?name=x");
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_EQ(head->content_type, "application/json");
  EXPECT_EQ(head->user_agent, "Docker-Client/28.2.2 (linux)");
  EXPECT_EQ(head->upgrade, "tcp");
  EXPECT_EQ(head->registry_auth, "e30=");
  EXPECT_FALSE(head->keep_alive);
  EXPECT_TRUE(head->has_body());
}

TEST(ResponseHead, KeepsTheEnginesHeadersAndTakesTheFramingOut) {
  const std::string block =
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\nConnection: close\r\nDate: today\r\n\r\n";
  const auto head = parse_response_head(block);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 200);
  EXPECT_TRUE(head->chunked);
  EXPECT_TRUE(head->close);
  EXPECT_EQ(head->api_version, "1.41");
  ASSERT_EQ(head->headers.size(), 3u);
  EXPECT_EQ(head->headers[2].name, "Date");
}

TEST(ResponseHead, KnowsWhatHijacks) {
  EXPECT_TRUE(parse_response_head("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n")->hijacks());
  EXPECT_TRUE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")->hijacks());
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nContent-Length: 0\r\n\r\n")->hijacks());
  EXPECT_FALSE(parse_response_head("HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")->hijacks());
}

TEST(ResponseHead, RefusesWhatHasTwoReadings) {
  for (const char* block : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 200\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                            "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "HTTP/1.1 200 OK\nX: y\r\n\r\n"}) {
    EXPECT_FALSE(parse_response_head(block).has_value()) << block;
  }
}

struct Chunks {
  std::string payload;
  ChunkReader::State state;
  std::size_t left;
};

Chunks read_chunks(std::string_view text, std::size_t step) {
  ChunkReader reader;
  Chunks result;
  std::size_t at = 0;
  std::string_view input;
  while (reader.state() == ChunkReader::State::More && at < text.size()) {
    input = text.substr(at, step);
    const std::size_t size = input.size();
    for (auto piece = reader.next(input); !piece.empty(); piece = reader.next(input)) result.payload += piece;
    at += size - input.size();
    if (reader.state() != ChunkReader::State::More) break;
  }
  result.state = reader.state();
  result.left = text.size() - at;
  return result;
}

TEST(ChunkReader, ReadsWholeMessagesHoweverTheyAreCut) {
  const std::string text = "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET /next";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Chunks chunks = read_chunks(text, step);
    EXPECT_EQ(chunks.state, ChunkReader::State::Done);
    EXPECT_EQ(chunks.payload, "hello0123456789");
    EXPECT_EQ(chunks.left, 9u) << "the next request is not part of this one";
  }
}

TEST(ChunkReader, RefusesEverythingElse) {
  for (const std::string text : {"5;ext\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "\r\n", "x\r\n", "0x5\r\nhello\r\n", "+5\r\n",
                                 "5\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n0\r\n", "0\r\nTrailer: x\r\n\r\n", "000000001\r\nx\r\n", "-1\r\n", "5\rhello"}) {
    EXPECT_EQ(read_chunks(text, text.size()).state, ChunkReader::State::Bad) << text;
    EXPECT_EQ(read_chunks(text, 1).state, ChunkReader::State::Bad) << text;
  }
}

TEST(FindHeadEnd, FindsItAcrossReads) {
  EXPECT_EQ(find_head_end("a\r\n\r\nb"), 5u);
  EXPECT_EQ(find_head_end("a\r\n\r\nb", 4), 5u);
  EXPECT_EQ(find_head_end("a\r\n\r"), std::string_view::npos);
}

}  // namespace
}  // namespace dockreeve::proxy
