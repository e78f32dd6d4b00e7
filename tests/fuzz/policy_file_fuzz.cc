// Any text as a policy document and as a gateway file: diagnostics or a set, never a crash, and
// what has loaded gives rules to whoever asks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/gateway_config.h"
#include "policy/policy_set.h"

namespace {

void expect(bool good) {
  if (!good) std::abort();
}

void load_as_policy(const std::string& text) {
  using namespace dockreeve::policy;
  std::vector<Diagnostic> diagnostics;
  const auto set = load_policy_texts({{"fuzz.yaml", text}}, diagnostics);
  bool error = false;
  for (const Diagnostic& diagnostic : diagnostics) {
    error = error || diagnostic.error;
    expect(!render(diagnostic, text).empty());
  }
  // Nothing is refused without a word, and nothing loads in spite of one.
  expect((set == nullptr) == error);
  if (!set) return;
  const Identity who = set->named("web-7", {"web"});
  const auto rules = set->rules_for(who);
  expect(rules == set->rules_for(who));
  dockreeve::certs::Caller caller;
  caller.certificate.common_name = "web-7";
  caller.certificate.organizational_units = {"web"};
  if (const auto known = set->identify(caller)) set->rules_for(*known);
}

void load_as_gateway(const std::string& text) {
  std::vector<dockreeve::policy::Diagnostic> diagnostics;
  const auto gateway =
      dockreeve::config::load_gateway_text("fuzz.yaml", text, "/etc/dockreeve", diagnostics);
  expect(gateway.has_value() == diagnostics.empty());
  if (!gateway) return;
  expect(!gateway->listeners.empty() && !gateway->upstream_path.empty());
  expect(!gateway->policies.empty() && !gateway->audit.file.empty());
  for (const auto& listener : gateway->listeners) {
    expect(listener.is_unix || !listener.tls.client_ca.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  load_as_policy(text);
  load_as_gateway(text);
  return 0;
}
