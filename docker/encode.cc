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

}  // namespace schema

namespace {

template <class T>
std::string encode_record(const T& record) {
  std::string bytes;
  bytes.reserve(1024);
  json::Writer out(bytes);
  schema::write(out, record);
  return bytes;
}

}  // namespace

std::string encode(const CreateContainer& create) {
  return encode_record(create);
}
std::string encode(const ExecCreate& exec) {
  return encode_record(exec);
}
std::string encode(const ExecStart& start) {
  return encode_record(start);
}
std::string encode(const UpdateContainer& update) {
  return encode_record(update);
}
std::string encode(const VolumeCreate& volume) {
  return encode_record(volume);
}

}  // namespace dockreeve::docker
