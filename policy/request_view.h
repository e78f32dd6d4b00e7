// What several rules read out of one request, parsed at most once per evaluation.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "docker/host_mount.h"
#include "docker/image_ref.h"
#include "docker/request.h"
#include "docker/security_opt.h"

namespace dockreeve::policy {

// Lives on the stack of one needs() or evaluate() call; not shared between threads. Empty values
// for a request that creates no container.
class RequestView {
 public:
  explicit RequestView(const docker::Request& request) : request_(request) {}
  RequestView(const RequestView&) = delete;
  RequestView& operator=(const RequestView&) = delete;

  const std::vector<docker::EffectiveMount>& mounts() const {
    if (!mounts_) {
      const auto* create = request_.body_as<docker::CreateContainer>();
      mounts_ = create ? docker::effective_mounts(*create) : std::vector<docker::EffectiveMount>();
    }
    return *mounts_;
  }
  const docker::SecurityOptions& security() const {
    if (!security_) {
      const auto* create = request_.body_as<docker::CreateContainer>();
      security_ = docker::parse_security_opt(create ? create->host_config.security_opt
                                                    : docker::StringList());
    }
    return *security_;
  }
  // The reference in Config.Image.
  const Result<docker::ImageRef>& image() const {
    if (!image_) {
      const auto* create = request_.body_as<docker::CreateContainer>();
      image_ = docker::parse_image_ref(create ? create->image : std::string());
    }
    return *image_;
  }

 private:
  const docker::Request& request_;
  mutable std::optional<std::vector<docker::EffectiveMount>> mounts_;
  mutable std::optional<docker::SecurityOptions> security_;
  mutable std::optional<Result<docker::ImageRef>> image_;
};

}  // namespace dockreeve::policy
