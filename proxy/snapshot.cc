#include "proxy/snapshot.h"

#include <fstream>
#include <sstream>

namespace dockreeve::proxy {
namespace {

std::string source_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

}  // namespace

std::optional<TlsContexts> load_certificates(const config::Gateway& gateway,
                                             std::vector<std::string>& problems) {
  TlsContexts contexts;
  bool good = true;
  for (const config::Listener& listener : gateway.listeners) {
    if (listener.is_unix) {
      contexts.push_back(nullptr);
      continue;
    }
    certs::TlsOptions options;
    options.certificate = listener.tls.certificate;
    options.key = listener.tls.key;
    options.client_ca = listener.tls.client_ca;
    options.crl = listener.tls.crl;
    options.min_tls13 = listener.tls.min_tls13;
    auto context = certs::TlsContext::load(options);
    if (!context) {
      problems.push_back("listener " + listener.name + ": " + context.error().text());
      good = false;
      continue;
    }
    if (!(*context)->warning().empty()) {
      problems.push_back("listener " + listener.name + ": warning: " + (*context)->warning());
    }
    contexts.push_back(*std::move(context));
  }
  if (!good) return std::nullopt;
  return contexts;
}

std::shared_ptr<const Snapshot> load_snapshot(const config::Gateway& gateway, std::uint64_t id,
                                              std::vector<std::string>& problems) {
  auto next = std::make_shared<Snapshot>();
  next->id = id;
  next->gateway = gateway;

  std::vector<policy::Diagnostic> diagnostics;
  std::shared_ptr<const policy::PolicySet> set = policy::load_policies(gateway.policies, diagnostics);
  for (const policy::Diagnostic& diagnostic : diagnostics) {
    problems.push_back(policy::render(diagnostic, source_of(diagnostic.file)));
  }
  const bool good = set != nullptr;
  if (set) next->evaluator = std::make_shared<const policy::Evaluator>(std::move(set));

  auto tls = load_certificates(gateway, problems);
  if (!good || !tls) return nullptr;
  next->tls = *std::move(tls);
  return next;
}

}  // namespace dockreeve::proxy
