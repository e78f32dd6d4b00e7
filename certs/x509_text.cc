// Certificate fields as text.
#include "certs/x509_text.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <memory>

#include "certs/openssl_ptr.h"

namespace dockreeve::certs {
namespace {

struct Scalar {
  std::uint32_t value = 0;
  std::size_t length = 0;  // 0: the bytes are not UTF-8
};

unsigned char byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// Of the sequence that begins with `lead`; 0 for a byte that begins none.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Decodes the first character of non-empty text; overlong forms and surrogates are not UTF-8.
Scalar first_scalar(std::string_view text) {
  const unsigned char lead = byte_at(text, 0);
  const std::size_t length = sequence_length(lead);
  if (length == 1) return {lead, 1};
  if (length == 0 || text.size() < length) return {};
  std::uint32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned char next = byte_at(text, i);
    if ((next & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (next & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

bool shown_as_it_is(std::uint32_t value) {
  if (value < 0x20 || (value >= 0x7F && value <= 0x9F)) return false;  // C0, DEL, C1
  if (value >= 0x2028 && value <= 0x202E) return false;                // separators, overrides
  if (value >= 0x2066 && value <= 0x2069) return false;                // isolates
  return value != 0x200E && value != 0x200F && value != 0xFEFF;
}

std::string format_time(const std::tm& time) {
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return std::string(text.data(), length);
}

}  // namespace

std::string rfc3339(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return format_time(parts);
}

std::string rfc3339_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  if (gmtime_r(&now, &parts) == nullptr) return {};
  return format_time(parts);
}

std::string serial_hex(const ASN1_INTEGER* serial) {
  const BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (number == nullptr) return {};
  char* const digits = BN_bn2hex(number.get());
  if (digits == nullptr) return {};
  std::string text(digits);
  OPENSSL_free(digits);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(out.get(), &bytes);
  if (length <= 0) return {};
  return std::string(bytes, static_cast<std::size_t>(length));
}

bool printable_utf8(std::string_view text) {
  while (!text.empty()) {
    const Scalar scalar = first_scalar(text);
    if (scalar.length == 0 || !shown_as_it_is(scalar.value)) return false;
    text.remove_prefix(scalar.length);
  }
  return true;
}

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "no reason given by OpenSSL" : reason;
  ERR_clear_error();
  return text;
}

tl::unexpected<Error> openssl_failure(std::string where, const std::string& what) {
  return fail(std::move(where), what + ": " + openssl_reason());
}

}  // namespace dockreeve::certs
