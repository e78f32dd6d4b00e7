// The fields of the network bodies.
#include "docker/schema.h"

namespace dockreeve::docker::schema {
namespace {

constexpr auto kIpamPool = std::to_array<Row<IpamPool>>({
    field<&IpamPool::subnet>("Subnet"),
    field<&IpamPool::ip_range>("IPRange"),
    field<&IpamPool::gateway>("Gateway"),
    field<&IpamPool::auxiliary_addresses>("AuxiliaryAddresses"),
});

constexpr auto kNetworkIpam = std::to_array<Row<NetworkIpam>>({
    field<&NetworkIpam::driver>("Driver"),
    field<&NetworkIpam::options>("Options"),
    field<&NetworkIpam::config>("Config"),
});

constexpr auto kNetworkReference = std::to_array<Row<NetworkReference>>({
    field<&NetworkReference::network>("Network"),
});

constexpr auto kNetworkCreate = std::to_array<Row<NetworkCreate>>({
    field<&NetworkCreate::name>("Name"),
    field<&NetworkCreate::check_duplicate>("CheckDuplicate"),
    field<&NetworkCreate::driver>("Driver"),
    field<&NetworkCreate::scope>("Scope"),
    field<&NetworkCreate::enable_ipv4>("EnableIPv4"),
    field<&NetworkCreate::enable_ipv6>("EnableIPv6"),
    field<&NetworkCreate::ipam>("IPAM"),
    field<&NetworkCreate::internal>("Internal"),
    field<&NetworkCreate::attachable>("Attachable"),
    field<&NetworkCreate::ingress>("Ingress"),
    field<&NetworkCreate::config_only>("ConfigOnly"),
    field<&NetworkCreate::config_from>("ConfigFrom"),
    field<&NetworkCreate::options>("Options"),
    field<&NetworkCreate::labels>("Labels"),
});

constexpr auto kNetworkConnect = std::to_array<Row<NetworkConnect>>({
    field<&NetworkConnect::container>("Container"),
    field<&NetworkConnect::endpoint_config>("EndpointConfig"),
});

constexpr auto kNetworkDisconnect = std::to_array<Row<NetworkDisconnect>>({
    field<&NetworkDisconnect::container>("Container"),
    field<&NetworkDisconnect::force>("Force"),
});

}  // namespace

template <>
const Table<IpamPool>& table<IpamPool>() {
  static constexpr auto kOrder = fold_order(kIpamPool);
  static constexpr Table<IpamPool> kTable{kIpamPool, kOrder};
  return kTable;
}

template <>
const Table<NetworkIpam>& table<NetworkIpam>() {
  static constexpr auto kOrder = fold_order(kNetworkIpam);
  static constexpr Table<NetworkIpam> kTable{kNetworkIpam, kOrder};
  return kTable;
}

template <>
const Table<NetworkReference>& table<NetworkReference>() {
  static constexpr auto kOrder = fold_order(kNetworkReference);
  static constexpr Table<NetworkReference> kTable{kNetworkReference, kOrder};
  return kTable;
}

template <>
const Table<NetworkCreate>& table<NetworkCreate>() {
  static constexpr auto kOrder = fold_order(kNetworkCreate);
  static constexpr Table<NetworkCreate> kTable{kNetworkCreate, kOrder};
  return kTable;
}

template <>
const Table<NetworkConnect>& table<NetworkConnect>() {
  static constexpr auto kOrder = fold_order(kNetworkConnect);
  static constexpr Table<NetworkConnect> kTable{kNetworkConnect, kOrder};
  return kTable;
}

template <>
const Table<NetworkDisconnect>& table<NetworkDisconnect>() {
  static constexpr auto kOrder = fold_order(kNetworkDisconnect);
  static constexpr Table<NetworkDisconnect> kTable{kNetworkDisconnect, kOrder};
  return kTable;
}

}  // namespace dockreeve::docker::schema
