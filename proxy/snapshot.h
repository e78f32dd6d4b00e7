// Everything a reload can change, together and immutable.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "certs/tls_context.h"
#include "config/gateway_config.h"
#include "policy/evaluator.h"

namespace dockreeve::proxy {

struct Snapshot {
  std::uint64_t id = 0;
  config::Gateway gateway;
  std::shared_ptr<const policy::Evaluator> evaluator;
  // One per listener, in the order of gateway.listeners; null for unix ones.
  std::vector<std::shared_ptr<const certs::TlsContext>> tls;
};

// Holds the snapshot in force. A mutex, because std::atomic<std::shared_ptr> of libstdc++ 12 is not
// free of data races; readers take it only when generation() has moved.
class SnapshotBox {
 public:
  std::shared_ptr<const Snapshot> get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  void set(std::shared_ptr<const Snapshot> next) {
    const std::uint64_t id = next->id;
    {
      const std::lock_guard lock(mutex_);
      current_ = std::move(next);
    }
    generation_.store(id, std::memory_order_release);
  }
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;  // guarded by mutex_
  std::atomic<std::uint64_t> generation_{0};
};

using TlsContexts = std::vector<std::shared_ptr<const certs::TlsContext>>;
// Certificates, keys, CAs and CRLs of every listener, in order. `problems` gets printable lines,
// warnings included.
std::optional<TlsContexts> load_certificates(const config::Gateway& gateway,
                                             std::vector<std::string>& problems);

// Builds a snapshot from the gateway file: policies, certificates, CRL. On failure the result is
// null and `problems` holds printable lines; warnings may be there on success too.
std::shared_ptr<const Snapshot> load_snapshot(const config::Gateway& gateway, std::uint64_t id,
                                              std::vector<std::string>& problems);

}  // namespace dockreeve::proxy
