// Facts from moby image/tarexport (manifest.json, else repositories) and containerd's image import
// (index.json with two annotations on its descriptors, else manifest.json).
#include "docker/image_archive.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "docker/image_ref.h"

namespace dockreeve::docker {
namespace {

constexpr std::size_t kMaxList = 4 << 20;
constexpr json::Limits kLimits{.max_depth = 16, .max_keys = 65536};

using Names = std::vector<std::string>;

// A member whose name the engine would take for `key` but that is written otherwise.
bool has_lookalike(json::Value object, std::string_view key) {
  const std::string folded = json::fold_key(key);
  for (auto member = object.first(); member; member = member->next()) {
    if (member->key() != key && json::fold_key(member->key()) == folded) return true;
  }
  return false;
}

bool read_manifest(json::Value root, Names& out) {
  if (!root.is_array()) return false;
  for (auto item = root.first(); item; item = item->next()) {
    if (!item->is_object() || has_lookalike(*item, "RepoTags")) return false;
    const auto tags = item->find("RepoTags");
    if (!tags || tags->is_null()) continue;
    if (!tags->is_array()) return false;
    for (auto tag = tags->first(); tag; tag = tag->next()) {
      if (!tag->is_string()) return false;
      out.emplace_back(tag->text());
    }
  }
  return true;
}

bool read_repositories(json::Value root, Names& out) {
  if (root.is_null()) return true;
  if (!root.is_object()) return false;
  for (auto name = root.first(); name; name = name->next()) {
    if (name->is_null()) continue;
    if (!name->is_object()) return false;
    for (auto tag = name->first(); tag; tag = tag->next())
      out.push_back(std::string(name->key()) + ":" + std::string(tag->key()));
  }
  return true;
}

bool read_index(json::Value root, Names& out) {
  constexpr std::string_view kFull = "io.containerd.image.name";
  constexpr std::string_view kRef = "org.opencontainers.image.ref.name";
  if (!root.is_object() || has_lookalike(root, "manifests")) return false;
  const auto manifests = root.find("manifests");
  if (!manifests || manifests->is_null()) return true;
  if (!manifests->is_array()) return false;
  for (auto item = manifests->first(); item; item = item->next()) {
    if (!item->is_object() || has_lookalike(*item, "annotations")) return false;
    const auto annotations = item->find("annotations");
    if (!annotations || annotations->is_null()) continue;
    if (!annotations->is_object()) return false;
    const auto full = annotations->find(kFull);
    if (full && !full->is_string()) return false;
    if (full) {
      out.emplace_back(full->text());
      continue;
    }
    // Maybe no more than a tag, but an engine may take it for a name.
    const auto ref = annotations->find(kRef);
    if (ref && !ref->is_string()) return false;
    if (ref) out.emplace_back(ref->text());
  }
  return true;
}

}  // namespace

std::string ImageArchiveScan::entry(const TarEntry& entry, bool& wanted) {
  for (List* list : {&manifest_, &repositories_, &index_}) {
    if (entry.path != list->path) continue;
    if (entry.kind != TarKind::File) return std::string(list->path) + " is no plain file";
    if (std::exchange(list->found, true)) return std::string(list->path) + " is there twice";
    if (entry.size > kMaxList) return std::string(list->path) + " is too large";
    reading_ = list;
    wanted = true;
  }
  return {};
}

std::string ImageArchiveScan::content(std::string_view piece) {
  reading_->text.append(piece);
  return {};
}

Result<ImageArchive> ImageArchiveScan::finish() {
  if (!scan_.finish()) return tl::unexpected(error());
  ImageArchive out;
  if (!manifest_.found && !repositories_.found && !index_.found) {
    return fail("", "the image archive has no manifest.json, repositories or index.json");
  }
  const auto take = [&out](List& list, bool (*read)(json::Value, Names&)) {
    if (!list.found) return true;
    const auto document = json::Document::parse(std::move(list.text), kLimits);
    return document && read((*document)->root(), out.names);
  };
  for (auto& [list, read] : {std::pair{&manifest_, &read_manifest},
                             std::pair{&repositories_, &read_repositories},
                             std::pair{&index_, &read_index}}) {
    if (!take(*list, read)) {
      return fail("", std::string(list->path) + " of the image archive cannot be read in one way");
    }
  }
  std::sort(out.names.begin(), out.names.end());
  out.names.erase(std::unique(out.names.begin(), out.names.end()), out.names.end());
  if (out.names.size() > 64) return fail("", "the image archive names more than 64 images");
  for (const std::string& name : out.names) {
    const Result<ImageRef> ref = parse_image_ref(name);
    if (!ref || ref->kind != ImageRefKind::Name) {
      return fail("", "the image archive has a name that is no image reference");
    }
  }
  return out;
}

}  // namespace dockreeve::docker
