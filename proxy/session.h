// One client connection: reads a request, has it judged, answers or relays, and again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/record.h"
#include "certs/peer.h"
#include "docker/request.h"
#include "policy/evaluator.h"
#include "proxy/gateway.h"
#include "proxy/head.h"
#include "proxy/relay.h"
#include "proxy/spool.h"
#include "proxy/stream.h"

namespace dockreeve::proxy {

// Lives and dies on its loop's thread. Linked into the server's list so that drain can reach it.
class Session {
 public:
  Session(Loop& loop, std::unique_ptr<Stream> client, std::size_t listener, certs::Caller caller,
          std::shared_ptr<const Snapshot> snapshot);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // From the handshake to the end of the connection. Never throws.
  Task<void> run();

  // Ends the connection now if it is between requests, after the current one otherwise.
  void drain();
  // Ends it now, whatever it does.
  void cancel();

 private:
  // One request as it goes along. Views in `head` point into head_block.
  struct Exchange {
    std::string head_block;
    RequestHead head;
    std::string body;
    std::size_t body_bytes = 0;     // of what was read, for the record
    std::string body_sha256;
    std::optional<docker::Target> target;
    std::string id;                 // decision id
    std::int64_t started_us = 0;
    std::unique_ptr<Spool> spool;   // of a body that is too large for memory
    std::unique_ptr<docker::BodyScan> scan;
    bool head_parsed = false;
    bool body_pending = false;      // the client's body was not (completely) read
    NameLocks::Held names;          // what nobody else may change until the engine has answered
  };

  // Makes the connection to the engine known to cancel() for as long as it lives.
  class OnEngine {
   public:
    OnEngine(Session& session, Stream& engine) : session_(session) {
      session_.engine_ = &engine;
      if (session_.cancelled_) engine.cancel();
    }
    ~OnEngine() { session_.engine_ = nullptr; }
    OnEngine(const OnEngine&) = delete;
    OnEngine& operator=(const OnEngine&) = delete;

   private:
    Session& session_;
  };

  Task<bool> prepare();                                      // handshake, peer facts
  // `got` is how reading the head ended: Ok or Timeout. True: keep the connection.
  Task<bool> serve_one(Io got, std::string head_block);
  Task<Io> read_head(std::string& block);
  Task<std::optional<docker::Refusal>> read_body(Exchange& x, std::int64_t limit);
  // Keeps the body in a file and reads it on the way (session_spool.cc).
  Task<std::optional<docker::Refusal>> spool_body(Exchange& x);
  bool refresh_snapshot();                                   // false: the caller is not trusted any more
  void note_body(Exchange& x);
  std::optional<docker::Refusal> check_headers(const Exchange& x) const;
  Task<bool> refuse(Exchange& x, docker::Refusal refusal);
  Task<bool> conclude(Exchange& x, policy::Decision decision);
  Task<bool> forward(Exchange& x, policy::Admitted admitted, const policy::Findings& findings);
  Task<bool> forward_plain(Exchange& x, const policy::WireRequest& wire, const policy::Findings& findings);
  Task<bool> forward_upload(Exchange& x, const policy::WireRequest& wire);
  Task<bool> forward_spooled(Exchange& x, const policy::WireRequest& wire);
  Task<bool> forward_hijack(Exchange& x, const policy::WireRequest& wire);
  // Passes an ordinary answer on. `extra_ok`: the connection may go on afterwards.
  Task<bool> answer(Exchange& x, Upstream::Lease& lease, const HeadRead& read, std::string& buffer,
                    bool extra_ok, bool watch_client);
  Task<bool> answer_create(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                           std::string& buffer, const policy::WireRequest& wire,
                           const policy::Findings& findings);
  // A refusal of the engine's, without the ids that the caller does not know (wire.hide_ids).
  Task<bool> answer_refusal(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                            std::string& buffer, const policy::WireRequest& wire);
  // Reads on until `body` is as long as the answer's Content-Length says. False: it broke off.
  Task<bool> collect(Upstream::Lease& lease, const HeadRead& read, std::string& body);
  // Sends the engine's head with `body`. `clean`: the engine sent nothing behind its answer.
  Task<bool> send_collected(Exchange& x, Upstream::Lease& lease, const HeadRead& read, bool clean,
                            const std::string& body);
  // Empty, or why the container that `created` (a create answer) names may not stay. It is gone then.
  Task<std::string> check_image(const Exchange& x, const std::string& created,
                                const policy::JudgedImage& judged);
  // The same for answers that must be read again before they leave (session_filter.cc).
  Task<bool> answer_filtered(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                             std::string& buffer, const policy::AnswerScope& scope);
  Task<bool> stream_filtered(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                             std::string& buffer, const policy::AnswerScope& scope);
  Task<Io> wait_for_engine(Stream& engine, Millis deadline, bool abort_on_eof, bool& watch_client);
  Task<bool> engine_failed(Exchange& x, const HeadRead& read, bool connected);
  Task<bool> reply(Exchange& x, int status, std::string message);
  Task<bool> record(Exchange& x, const policy::Decision& decision, audit::Sync sync);
  Task<void> drain_input();
  std::string response_head(const Exchange& x, const ResponseHead& head, bool keep,
                            std::optional<std::uint64_t> length) const;

  Loop& loop_;
  std::unique_ptr<Stream> client_;
  std::size_t listener_;
  certs::Caller caller_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::optional<policy::Identity> who_;
  audit::Fixed fixed_;
  std::string input_;          // bytes read and not yet used
  Stream* engine_ = nullptr;   // the connection a request is under way on
  bool idle_ = false;          // between requests, waiting for the first byte
  bool draining_ = false;
  bool cancelled_ = false;
};

}  // namespace dockreeve::proxy
