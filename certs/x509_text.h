// Certificate fields as text, in the one spelling that audit records, index.json and policies
// share.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace dockreeve::certs {

// UTC, "2030-01-02T03:04:05Z"; empty when the field does not hold a time.
std::string rfc3339(const ASN1_TIME* time);
std::string rfc3339_now();

// Lower-case hex, two digits a byte; empty when memory runs out.
std::string serial_hex(const ASN1_INTEGER* serial);

// Most specific part first, as `openssl x509 -nameopt RFC2253` prints it: pure ASCII.
std::string name_text(const X509_NAME* name);

// Whether `text` is UTF-8 that a log line or a terminal shows as it is: no control characters, line
// separators or overrides of the writing direction. True for empty text.
bool printable_utf8(std::string_view text);

// OpenSSL's reason for the failure that just happened, for messages; clears its error queue.
std::string openssl_reason();

// openssl_reason() as an Error.
tl::unexpected<Error> openssl_failure(std::string where, const std::string& what);

}  // namespace dockreeve::certs
