#include "app/watch.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace dockreeve::app {
namespace {

void add_file(const std::string& path, std::string& out) {
  struct stat status{};
  out.append(path);
  if (stat(path.c_str(), &status) != 0) {
    out.append(" absent\n");
    return;
  }
  out.append(" " + std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
             std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) + "\n");
}

}  // namespace

std::string fingerprint(const config::Gateway& gateway) {
  namespace fs = std::filesystem;
  std::string out;
  for (const std::string& path : gateway.policies) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      add_file(path, out);
      continue;
    }
    std::vector<std::string> files;
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      const std::string extension = it->path().extension();
      if (extension == ".yaml" || extension == ".yml") files.push_back(it->path());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) add_file(file, out);
  }
  for (const config::Listener& listener : gateway.listeners) {
    if (listener.is_unix) continue;
    for (const std::string* file : {&listener.tls.certificate, &listener.tls.key, &listener.tls.client_ca, &listener.tls.crl}) {
      if (!file->empty()) add_file(*file, out);
    }
  }
  return out;
}

}  // namespace dockreeve::app
