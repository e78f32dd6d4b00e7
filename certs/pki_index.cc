// index.json, read and written.
#include "certs/pki_index.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

#include "certs/files.h"

namespace dockreeve::certs {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;
constexpr std::string_view kTimeShape = "dddd-dd-ddTdd:dd:ddZ";

bool read_text(const json& object, const char* key, std::string& into) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_string()) return false;
  into = at->get<std::string>();
  return true;
}

bool read_texts(const json& object, const char* key, std::vector<std::string>& into) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_array()) return false;
  for (const json& item : *at) {
    if (!item.is_string()) return false;
    into.push_back(item.get<std::string>());
  }
  return true;
}

bool read_flag(const json& object, const char* key, bool& into) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_boolean()) return false;
  into = at->get<bool>();
  return true;
}

bool is_serial(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "2030-01-02T03:04:05Z"
bool is_time(std::string_view text) {
  return text.size() == kTimeShape.size() &&
         std::equal(text.begin(), text.end(), kTimeShape.begin(), [](char c, char shape) {
           return shape == 'd' ? c >= '0' && c <= '9' : c == shape;
         });
}

bool read_entry(const json& object, IndexEntry& entry) {
  return object.is_object() && read_text(object, "name", entry.name) &&
         read_text(object, "serial", entry.serial) && is_serial(entry.serial) &&
         read_text(object, "subject", entry.subject) &&
         read_text(object, "notAfter", entry.not_after) && is_time(entry.not_after) &&
         read_text(object, "uri", entry.uri) && read_flag(object, "server", entry.server) &&
         read_text(object, "revokedAt", entry.revoked_at) &&
         (entry.revoked_at.empty() || is_time(entry.revoked_at)) &&
         read_texts(object, "teams", entry.teams) && read_texts(object, "hosts", entry.hosts);
}

}  // namespace

std::string index_path(const std::string& dir) {
  return dir + "/index.json";
}

Result<Index> read_index(const std::string& dir) {
  const std::string path = index_path(dir);
  const Result<std::string> text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  const json root = json::parse(*text, nullptr, false);
  if (!root.is_object()) return fail(path, "is not a JSON object");
  const auto version = root.find("schemaVersion");
  if (version == root.end() || *version != kSchemaVersion) {
    return fail(path, "has a schemaVersion that this dockreeve does not know");
  }
  Index index;
  const auto number = root.find("crlNumber");
  const auto certificates = root.find("certificates");
  if (number == root.end() || !number->is_number_unsigned() || certificates == root.end() ||
      !certificates->is_array()) {
    return fail(path, "has no crlNumber or no certificates");
  }
  index.crl_number = number->get<std::int64_t>();
  for (const json& item : *certificates) {
    IndexEntry entry;
    if (!read_entry(item, entry)) {
      return fail(path, "entry " + std::to_string(index.certificates.size()) +
                            " of certificates is not complete");
    }
    index.certificates.push_back(std::move(entry));
  }
  return index;
}

Result<void> write_index(const std::string& dir, const Index& index) {
  json certificates = json::array();
  for (const IndexEntry& entry : index.certificates) {
    certificates.push_back({{"name", entry.name},
                            {"serial", entry.serial},
                            {"subject", entry.subject},
                            {"notAfter", entry.not_after},
                            {"uri", entry.uri},
                            {"revokedAt", entry.revoked_at},
                            {"server", entry.server},
                            {"teams", entry.teams},
                            {"hosts", entry.hosts}});
  }
  const json root = {{"schemaVersion", kSchemaVersion},
                     {"crlNumber", index.crl_number},
                     {"certificates", std::move(certificates)}};
  return write_atomically(index_path(dir), root.dump(2) + "\n", 0600);
}

}  // namespace dockreeve::certs
