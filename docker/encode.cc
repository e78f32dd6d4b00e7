// Canonical bytes: the schema tables walked in order, zero values left out.
#include "docker/decode.h"
#include "docker/schema.h"

namespace dockreeve::docker {
namespace schema {

void write(json::Writer& out, const std::string& text) {
  out.value(text);
}
void write(json::Writer& out, bool flag) {
  out.value(flag);
}
void write(json::Writer& out, Int number) {
  out.value(number);
}
void write(json::Writer& out, const Pair& pair) {
  out.begin_array().value(pair[0]).value(pair[1]).end_array();
}
void write(json::Writer& out, const Fraction& fraction) {
  if (fraction.billionths == kBillion) {
    out.value(1);
    return;
  }
  std::string digits = std::to_string(fraction.billionths);
  digits.insert(0, kFractionDigits - digits.size(), '0');
  digits.resize(digits.find_last_not_of('0') + 1);
  out.raw("0." + digits);
}

}  // namespace schema

namespace {

template <class T>
std::string encode_record(const T& record, std::vector<json::Written>* trace) {
  std::string bytes;
  bytes.reserve(4096);
  if (trace != nullptr) trace->reserve(128);
  json::Writer out(bytes, trace);
  schema::write(out, record);
  return bytes;
}

}  // namespace

std::string encode(const CreateContainer& create, std::vector<json::Written>* trace) {
  return encode_record(create, trace);
}
std::string encode(const ExecCreate& exec, std::vector<json::Written>* trace) {
  return encode_record(exec, trace);
}
std::string encode(const ExecStart& start, std::vector<json::Written>* trace) {
  return encode_record(start, trace);
}
std::string encode(const UpdateContainer& update, std::vector<json::Written>* trace) {
  return encode_record(update, trace);
}
std::string encode(const VolumeCreate& volume, std::vector<json::Written>* trace) {
  return encode_record(volume, trace);
}
std::string encode(const AuthConfig& auth, std::vector<json::Written>* trace) {
  return encode_record(auth, trace);
}
std::string encode(const NetworkCreate& network, std::vector<json::Written>* trace) {
  return encode_record(network, trace);
}
std::string encode(const NetworkConnect& connect, std::vector<json::Written>* trace) {
  return encode_record(connect, trace);
}
std::string encode(const NetworkDisconnect& disconnect, std::vector<json::Written>* trace) {
  return encode_record(disconnect, trace);
}
std::string encode(const Commit& commit, std::vector<json::Written>* trace) {
  return encode_record(commit, trace);
}
std::string encode(const ServiceSpec& service, std::vector<json::Written>* trace) {
  return encode_record(service, trace);
}

}  // namespace dockreeve::docker
