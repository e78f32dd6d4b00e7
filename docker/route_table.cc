// The routes of the Engine API, one row each, in the order in which they are tried. What a row
// leaves out cannot be asked for: a route that is not here does not exist for clients.
//
// OptIn rows do nothing but read, or act without a body; what a body would ask for there cannot be
// judged by any rule, so a row with an undecoded body is Closed.
//
// Names that may hold slashes are {name*}. A literal beats nothing by itself: order decides, as in
// the engine's router, so a container called "json" is reached through its own rows.
#include <array>

#include "docker/route.h"

namespace dockreeve::docker {
namespace {

using enum Method;
using enum Access;
using Obj = Object;

constexpr std::string_view kLogs =
    "follow:bool stdout:bool stderr:bool since:text until:text timestamps:bool tail:text "
    "details:bool format:text";
constexpr std::string_view kAttach =
    "detachKeys:text logs:bool stream:bool stdin:bool stdout:bool stderr:bool";
constexpr std::string_view kSize = "h:int w:int";
constexpr std::string_view kStop = "t:int signal:text";
constexpr std::string_view kFilters = "filters:filters";
constexpr std::string_view kCheckpoint = "dir:text";
constexpr std::string_view kBuild =
    "t:list dockerfile:text remote:text q:bool nocache:bool cachefrom:text pull:text rm:bool "
    "forcerm:bool memory:int memswap:int cpushares:int cpusetcpus:text cpusetmems:text "
    "cpuperiod:int cpuquota:int buildargs:text shmsize:int squash:bool labels:text "
    "networkmode:text platform:text target:text outputs:text version:text session:text "
    "buildid:text extrahosts:list securityopt:refused ulimits:text isolation:text cgroupparent:text";

// Bodies marked Ignored on short commands: dockerode repeats the query there as a JSON object.
constexpr std::array kRoutes = std::to_array<Route>({
    // clang-format off
    // System.
    {"system.ping",    Get,  "/_ping",     Obj::None, Body::None,      Stream::No,       Free,   ""},
    {"system.ping",    Head, "/_ping",     Obj::None, Body::None,      Stream::No,       Free,   ""},
    {"system.version", Get,  "/version",   Obj::None, Body::None,      Stream::No,       Free,   ""},
    {"system.info",    Get,  "/info",      Obj::None, Body::None,      Stream::No,       Read,   ""},
    {"system.events",  Get,  "/events",    Obj::None, Body::None,      Stream::Download, Read,   "since:text until:text filters:filters"},
    {"system.df",      Get,  "/system/df", Obj::None, Body::None,      Stream::No,       Read,   "type:list verbose:bool"},
    {"system.auth",    Post, "/auth",      Obj::None, Body::Auth,      Stream::No,       OptIn,  ""},

    // Containers.
    {"container.list",         Get,    "/containers/json",                 Obj::None,      Body::None,       Stream::No,       Read,   "all:bool limit:int size:bool filters:filters since:text before:text"},
    {"container.create",       Post,   "/containers/create",               Obj::None,      Body::Create,     Stream::No,       Change, "name:text platform:text"},
    {"container.prune",        Post,   "/containers/prune",                Obj::None,      Body::None,       Stream::No,       Change, kFilters, true},
    {"container.inspect",      Get,    "/containers/{id}/json",            Obj::Container, Body::None,       Stream::No,       Read,   "size:bool"},
    {"container.top",          Get,    "/containers/{id}/top",             Obj::Container, Body::None,       Stream::No,       Read,   "ps_args:text"},
    {"container.logs",         Get,    "/containers/{id}/logs",            Obj::Container, Body::None,       Stream::Download, Read,   kLogs},
    {"container.changes",      Get,    "/containers/{id}/changes",         Obj::Container, Body::None,       Stream::No,       Read,   ""},
    {"container.export",       Get,    "/containers/{id}/export",          Obj::Container, Body::None,       Stream::Download, Read,   ""},
    {"container.stats",        Get,    "/containers/{id}/stats",           Obj::Container, Body::None,       Stream::Download, Read,   "stream:bool one-shot:bool"},
    {"container.resize",       Post,   "/containers/{id}/resize",          Obj::Container, Body::Ignored,    Stream::No,       Change, kSize},
    {"container.start",        Post,   "/containers/{id}/start",           Obj::Container, Body::None,       Stream::No,       Change, "detachKeys:text checkpoint:refused checkpoint-dir:refused"},
    {"container.stop",         Post,   "/containers/{id}/stop",            Obj::Container, Body::Ignored,    Stream::No,       Change, kStop},
    {"container.restart",      Post,   "/containers/{id}/restart",         Obj::Container, Body::Ignored,    Stream::No,       Change, kStop},
    {"container.kill",         Post,   "/containers/{id}/kill",            Obj::Container, Body::Ignored,    Stream::No,       Change, "signal:text"},
    {"container.update",       Post,   "/containers/{id}/update",          Obj::Container, Body::Update,     Stream::No,       Change, ""},
    {"container.rename",       Post,   "/containers/{id}/rename",          Obj::Container, Body::Ignored,    Stream::No,       Change, "name:text"},
    {"container.pause",        Post,   "/containers/{id}/pause",           Obj::Container, Body::None,       Stream::No,       Change, ""},
    {"container.unpause",      Post,   "/containers/{id}/unpause",         Obj::Container, Body::None,       Stream::No,       Change, ""},
    {"container.attach",       Post,   "/containers/{id}/attach",          Obj::Container, Body::Ignored,    Stream::Hijack,   Change, kAttach},
    {"container.attach_ws",    Get,    "/containers/{id}/attach/ws",       Obj::Container, Body::None,       Stream::Hijack,   OptIn,  kAttach},
    {"container.wait",         Post,   "/containers/{id}/wait",            Obj::Container, Body::Ignored,    Stream::Download, Read,   "condition:text"},
    {"container.remove",       Delete, "/containers/{id}",                 Obj::Container, Body::None,       Stream::No,       Change, "v:bool force:bool link:bool"},
    {"container.archive_head", Head,   "/containers/{id}/archive",         Obj::Container, Body::None,       Stream::No,       Read,   "path:text"},
    {"container.archive_get",  Get,    "/containers/{id}/archive",         Obj::Container, Body::None,       Stream::Download, Read,   "path:text"},
    {"container.archive_put",  Put,    "/containers/{id}/archive",         Obj::Container, Body::Opaque,     Stream::No,       Change, "path:text noOverwriteDirNonDir:bool copyUIDGID:bool"},
    {"container.copy",         Post,   "/containers/{id}/copy",            Obj::Container, Body::Undecoded,  Stream::Download, Closed, ""},
    {"container.exec",         Post,   "/containers/{id}/exec",            Obj::Container, Body::ExecCreate, Stream::No,       Change, ""},
    {"container.checkpoint_list",   Get,    "/containers/{id}/checkpoints",      Obj::Container, Body::None,      Stream::No, Closed, kCheckpoint},
    {"container.checkpoint_create", Post,   "/containers/{id}/checkpoints",      Obj::Container, Body::Undecoded, Stream::No, Closed, ""},
    {"container.checkpoint_delete", Delete, "/containers/{id}/checkpoints/{cp}", Obj::Container, Body::None,      Stream::No, Closed, kCheckpoint},
    {"exec.start",   Post, "/exec/{id}/start",  Obj::Exec, Body::ExecStart, Stream::Hijack, Change, ""},
    {"exec.resize",  Post, "/exec/{id}/resize", Obj::Exec, Body::Ignored,   Stream::No,     Change, kSize},
    {"exec.inspect", Get,  "/exec/{id}/json",   Obj::Exec, Body::None,      Stream::No,     Read,   ""},

    // Images.
    {"image.list",         Get,    "/images/json",                 Obj::None,  Body::None,      Stream::No,       Read,   "all:bool filters:filters filter:text digests:bool shared-size:bool manifests:bool identity:bool"},
    {"image.search",       Get,    "/images/search",               Obj::None,  Body::None,      Stream::No,       OptIn,  "term:text limit:int filters:filters"},
    {"image.save_all",     Get,    "/images/get",                  Obj::None,  Body::None,      Stream::Download, Read,   "names:list platform:list"},
    {"image.create",       Post,   "/images/create",               Obj::None,  Body::Ignored,   Stream::Download, Change, "fromImage:text fromSrc:text repo:text tag:text message:text platform:text changes:list"},
    {"image.load",         Post,   "/images/load",                 Obj::None,  Body::ImageArchive, Stream::Download, Change, "quiet:bool platform:list"},
    {"image.prune",        Post,   "/images/prune",                Obj::None,  Body::None,      Stream::No,       Change, kFilters, true},
    {"image.inspect",      Get,    "/images/{name*}/json",         Obj::Image, Body::None,      Stream::No,       Read,   "manifests:bool platform:text"},
    {"image.history",      Get,    "/images/{name*}/history",      Obj::Image, Body::None,      Stream::No,       Read,   "platform:text"},
    {"image.attestations", Get,    "/images/{name*}/attestations", Obj::Image, Body::None,      Stream::No,       Read,   "platform:text type:list statement:bool"},
    {"image.save",         Get,    "/images/{name*}/get",          Obj::Image, Body::None,      Stream::Download, Read,   "platform:list"},
    {"image.tag",          Post,   "/images/{name*}/tag",          Obj::Image, Body::Ignored,   Stream::No,       Change, "repo:text tag:text"},
    {"image.push",         Post,   "/images/{name*}/push",         Obj::Image, Body::Ignored,   Stream::Download, Change, "tag:text platform:text"},
    {"image.remove",       Delete, "/images/{name*}",              Obj::Image, Body::None,      Stream::No,       Change, "force:bool noprune:bool platforms:list"},
    {"distribution.inspect", Get,  "/distribution/{name*}/json",   Obj::Image, Body::None,      Stream::No,       OptIn,  ""},
    {"commit", Post, "/commit", Obj::None, Body::Commit, Stream::No, Change, "container:text repo:text tag:text author:text comment:text pause:bool changes:list"},

    // Builds and tunnels.
    {"build",        Post, "/build",        Obj::None, Body::BuildContext, Stream::Download, Change, kBuild},
    {"build.prune",  Post, "/build/prune",  Obj::None, Body::None,      Stream::No,       Change, "all:bool filters:filters keep-storage:int reserved-space:int max-used-space:int min-free-space:int", true},
    {"build.cancel", Post, "/build/cancel", Obj::None, Body::None,      Stream::No,       OptIn,  "id:text"},
    {"session",      Post, "/session",      Obj::None, Body::None,      Stream::Hijack,   OptIn,  ""},
    {"grpc",         Post, "/grpc",         Obj::None, Body::None,      Stream::Hijack,   OptIn,  ""},

    // Networks.
    {"network.list",       Get,    "/networks",                 Obj::None,    Body::None,              Stream::No, Read,   kFilters},
    {"network.inspect",    Get,    "/networks/{id}",            Obj::Network, Body::None,              Stream::No, Read,   "verbose:bool scope:text"},
    {"network.create",     Post,   "/networks/create",          Obj::None,    Body::NetworkCreate,     Stream::No, Change, ""},
    {"network.prune",      Post,   "/networks/prune",           Obj::None,    Body::None,              Stream::No, Change, kFilters, true},
    {"network.connect",    Post,   "/networks/{id}/connect",    Obj::Network, Body::NetworkConnect,    Stream::No, Change, ""},
    {"network.disconnect", Post,   "/networks/{id}/disconnect", Obj::Network, Body::NetworkDisconnect, Stream::No, Change, ""},
    {"network.remove",     Delete, "/networks/{id}",            Obj::Network, Body::None,              Stream::No, Change, ""},

    // Volumes.
    {"volume.list",    Get,    "/volumes",        Obj::None,   Body::None,         Stream::No, Read,   kFilters},
    {"volume.inspect", Get,    "/volumes/{name}", Obj::Volume, Body::None,         Stream::No, Read,   ""},
    {"volume.create",  Post,   "/volumes/create", Obj::None,   Body::VolumeCreate, Stream::No, Change, ""},
    {"volume.prune",   Post,   "/volumes/prune",  Obj::None,   Body::None,         Stream::No, Change, kFilters, true},
    {"volume.update",  Put,    "/volumes/{name}", Obj::Volume, Body::Undecoded,    Stream::No, Closed, "version:int"},
    {"volume.remove",  Delete, "/volumes/{name}", Obj::Volume, Body::None,         Stream::No, Change, "force:bool"},

    // Plugins.
    {"plugin.list",       Get,    "/plugins",                 Obj::None,   Body::None,      Stream::No,       OptIn,  kFilters},
    {"plugin.privileges", Get,    "/plugins/privileges",      Obj::None,   Body::None,      Stream::No,       Closed, "remote:text"},
    {"plugin.inspect",    Get,    "/plugins/{name*}/json",    Obj::Plugin, Body::None,      Stream::No,       OptIn,  ""},
    {"plugin.pull",       Post,   "/plugins/pull",            Obj::None,   Body::Undecoded, Stream::Download, Closed, "remote:text name:text"},
    {"plugin.create",     Post,   "/plugins/create",          Obj::None,   Body::Undecoded, Stream::No,       Closed, "name:text"},
    {"plugin.enable",     Post,   "/plugins/{name*}/enable",  Obj::Plugin, Body::None,      Stream::No,       Closed, "timeout:int"},
    {"plugin.disable",    Post,   "/plugins/{name*}/disable", Obj::Plugin, Body::None,      Stream::No,       Closed, "force:bool"},
    {"plugin.upgrade",    Post,   "/plugins/{name*}/upgrade", Obj::Plugin, Body::Undecoded, Stream::Download, Closed, "remote:text"},
    {"plugin.set",        Post,   "/plugins/{name*}/set",     Obj::Plugin, Body::Undecoded, Stream::No,       Closed, ""},
    {"plugin.push",       Post,   "/plugins/{name*}/push",    Obj::Plugin, Body::None,      Stream::Download, Closed, ""},
    {"plugin.remove",     Delete, "/plugins/{name*}",         Obj::Plugin, Body::None,      Stream::No,       Closed, "force:bool"},

    // Swarm.
    {"swarm.inspect",   Get,    "/swarm",                Obj::None,    Body::None,      Stream::No,       Closed, ""},
    {"swarm.unlockkey", Get,    "/swarm/unlockkey",      Obj::None,    Body::None,      Stream::No,       Closed, ""},
    {"swarm.init",      Post,   "/swarm/init",           Obj::None,    Body::Undecoded, Stream::No,       Closed, ""},
    {"swarm.join",      Post,   "/swarm/join",           Obj::None,    Body::Undecoded, Stream::No,       Closed, ""},
    {"swarm.leave",     Post,   "/swarm/leave",          Obj::None,    Body::None,      Stream::No,       Closed, "force:bool"},
    {"swarm.update",    Post,   "/swarm/update",         Obj::None,    Body::Undecoded, Stream::No,       Closed, "version:int rotateWorkerToken:bool rotateManagerToken:bool rotateManagerUnlockKey:bool"},
    {"swarm.unlock",    Post,   "/swarm/unlock",         Obj::None,    Body::Undecoded, Stream::No,       Closed, ""},
    {"service.list",    Get,    "/services",             Obj::None,    Body::None,      Stream::No,       OptIn,  "filters:filters status:bool"},
    {"service.inspect", Get,    "/services/{id}",        Obj::Service, Body::None,      Stream::No,       OptIn,  "insertDefaults:bool"},
    {"service.create",  Post,   "/services/create",      Obj::None,    Body::Service,   Stream::No,       OptIn,  ""},
    {"service.update",  Post,   "/services/{id}/update", Obj::Service, Body::Service,   Stream::No,       OptIn,  "version:int registryAuthFrom:text rollback:refused"},
    {"service.remove",  Delete, "/services/{id}",        Obj::Service, Body::None,      Stream::No,       OptIn,  ""},
    {"service.logs",    Get,    "/services/{id}/logs",   Obj::Service, Body::None,      Stream::Download, OptIn,  kLogs},
    {"node.list",       Get,    "/nodes",                Obj::None,    Body::None,      Stream::No,       OptIn,  kFilters},
    {"node.inspect",    Get,    "/nodes/{id}",           Obj::Node,    Body::None,      Stream::No,       OptIn,  ""},
    {"node.update",     Post,   "/nodes/{id}/update",    Obj::Node,    Body::Undecoded, Stream::No,       Closed, "version:int"},
    {"node.remove",     Delete, "/nodes/{id}",           Obj::Node,    Body::None,      Stream::No,       Closed, "force:bool"},
    {"task.list",       Get,    "/tasks",                Obj::None,    Body::None,      Stream::No,       OptIn,  kFilters},
    {"task.inspect",    Get,    "/tasks/{id}",           Obj::Task,    Body::None,      Stream::No,       OptIn,  ""},
    {"task.logs",       Get,    "/tasks/{id}/logs",      Obj::Task,    Body::None,      Stream::Download, OptIn,  kLogs},
    {"secret.list",     Get,    "/secrets",              Obj::None,    Body::None,      Stream::No,       OptIn,  kFilters},
    {"secret.inspect",  Get,    "/secrets/{id}",         Obj::Secret,  Body::None,      Stream::No,       OptIn,  ""},
    {"secret.create",   Post,   "/secrets/create",       Obj::None,    Body::Undecoded, Stream::No,       Closed, ""},
    {"secret.update",   Post,   "/secrets/{id}/update",  Obj::Secret,  Body::Undecoded, Stream::No,       Closed, "version:int"},
    {"secret.remove",   Delete, "/secrets/{id}",         Obj::Secret,  Body::None,      Stream::No,       OptIn,  ""},
    {"config.list",     Get,    "/configs",              Obj::None,    Body::None,      Stream::No,       OptIn,  kFilters},
    {"config.inspect",  Get,    "/configs/{id}",         Obj::Config,  Body::None,      Stream::No,       OptIn,  ""},
    {"config.create",   Post,   "/configs/create",       Obj::None,    Body::Undecoded, Stream::No,       Closed, ""},
    {"config.update",   Post,   "/configs/{id}/update",  Obj::Config,  Body::Undecoded, Stream::No,       Closed, "version:int"},
    {"config.remove",   Delete, "/configs/{id}",         Obj::Config,  Body::None,      Stream::No,       OptIn,  ""},

    // Debug: older engines take any method here.
    {"debug", Get,    "/debug/{path*}", Obj::None, Body::None,      Stream::Download, Closed, ""},
    {"debug", Head,   "/debug/{path*}", Obj::None, Body::None,      Stream::No,       Closed, ""},
    {"debug", Post,   "/debug/{path*}", Obj::None, Body::Undecoded, Stream::Download, Closed, ""},
    {"debug", Put,    "/debug/{path*}", Obj::None, Body::Undecoded, Stream::No,       Closed, ""},
    {"debug", Delete, "/debug/{path*}", Obj::None, Body::None,      Stream::No,       Closed, ""},
    // clang-format on
});

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace dockreeve::docker
