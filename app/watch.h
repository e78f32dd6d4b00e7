// Notices that files a gateway was loaded from have changed.
#pragma once

#include <string>
#include <vector>

#include "config/gateway_config.h"

namespace dockreeve::app {

// A text that differs when a policy file, certificate, key, CA or CRL of the gateway was changed,
// added or removed: path, inode, size and modification time of each.
std::string fingerprint(const config::Gateway& gateway);

// Says when to reload: once after each change, when a second look finds it settled.
class Watch {
 public:
  explicit Watch(std::string initial) : loaded_(initial), last_(std::move(initial)) {}
  bool changed(std::string now) {
    const bool settled = now == last_;
    last_ = std::move(now);
    if (!settled || last_ == loaded_) return false;
    loaded_ = last_;
    return true;
  }
  // What is on disk now is what is loaded.
  void loaded(std::string now) { loaded_ = last_ = std::move(now); }

 private:
  std::string loaded_, last_;
};

}  // namespace dockreeve::app
