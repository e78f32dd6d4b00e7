// What all connections of the process share, and what those of one loop share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "audit/chain.h"
#include "audit/record.h"
#include "audit/sink.h"
#include "proxy/blocking.h"
#include "proxy/lookups.h"
#include "proxy/name_locks.h"
#include "proxy/snapshot.h"
#include "proxy/spool.h"
#include "proxy/upstream.h"

namespace dockreeve::proxy {

class Session;

// Thread-safe; outlives every session.
struct Shared {
  SnapshotBox snapshots;
  std::unique_ptr<audit::Sink> audit;
  std::string host_json;             // the "host" part of every audit record
  EngineState engine;
  BlockingWorker worker;
  BlockingWorker spool_worker;       // disk writes of uploads, so that look-ups do not wait for them
  SpoolBudget spool_budget;
  NameLocks names;
  std::atomic<std::int64_t> connections{0};
  std::atomic<bool> draining{false};
};

// One event loop with its connections to the engine. Belongs to the loop's thread.
struct Loop {
  Loop(Shared& shared_state, const std::string& engine_path)
      : shared(shared_state), upstream(reactor, engine_path, shared_state.engine),
        lookups(upstream, shared_state.worker) {}
  Shared& shared;
  Reactor reactor;
  Upstream upstream;
  Lookups lookups;
  audit::LineHash hash;
  std::unordered_set<Session*> sessions;
};

}  // namespace dockreeve::proxy
