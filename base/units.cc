// Integer arithmetic with overflow checks; no floating point anywhere.
#include "base/units.h"

#include <array>
#include <limits>
#include <optional>

#include "base/text.h"

namespace dockreeve {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digit_run(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n]))
    ++n;
  return n;
}

// digits * unit, or nullopt beyond int64.
std::optional<std::int64_t> scale(std::string_view digits, std::int64_t unit) {
  std::int64_t value = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(value, std::int64_t{10}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, std::int64_t{c - '0'}, &value)) return std::nullopt;
  }
  if (__builtin_mul_overflow(value, unit, &value)) return std::nullopt;
  return value;
}

// 0.digits * unit, cut off. Exact, because nested floors of tenths are the floor of the whole.
std::int64_t scale_fraction(std::string_view digits, std::int64_t unit) {
  std::int64_t value = 0;
  for (std::size_t i = digits.size(); i > 0; --i) {
    value = (value + (digits[i - 1] - '0') * unit) / 10;
  }
  return value;
}

struct Decimal {
  std::string_view whole, fraction, rest;
};

// "12.5gib" -> {"12", "5", "gib"}.
std::optional<Decimal> split_decimal(std::string_view text) {
  Decimal out;
  const std::size_t whole = digit_run(text);
  if (whole == 0) return std::nullopt;
  out.whole = text.substr(0, whole);
  text.remove_prefix(whole);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t fraction = digit_run(text);
    if (fraction == 0) return std::nullopt;
    out.fraction = text.substr(0, fraction);
    text.remove_prefix(fraction);
  }
  out.rest = text;
  return out;
}

std::optional<std::int64_t> scale_decimal(const Decimal& number, std::int64_t unit) {
  const std::optional<std::int64_t> whole = scale(number.whole, unit);
  const std::int64_t fraction = scale_fraction(number.fraction, unit);
  if (!whole || *whole > kMax - fraction) return std::nullopt;
  return *whole + fraction;
}

// 1024^n for "", "b", "k", "kb", "kib", ...; nullopt for any other word.
std::optional<std::int64_t> byte_unit(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower.empty() || lower == "b") return 1;
  constexpr std::string_view kLetters = "kmgtp";
  const std::size_t power = kLetters.find(lower.front());
  const std::string_view suffix = std::string_view(lower).substr(1);
  if (power == std::string_view::npos) return std::nullopt;
  if (!suffix.empty() && suffix != "b" && suffix != "ib") return std::nullopt;
  return std::int64_t{1} << (10 * (power + 1));
}

struct DurationUnit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<DurationUnit, 5> kDurationUnits{
    {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view input) {
  const std::optional<Decimal> number = split_decimal(input);
  const std::optional<std::int64_t> unit = number ? byte_unit(number->rest) : std::nullopt;
  if (!unit) return fail("", text::quoted(input) + " is not a size such as 512m, 1.5g or 2GiB");
  const std::optional<std::int64_t> bytes = scale_decimal(*number, *unit);
  if (!bytes) return fail("", text::quoted(input) + " is too large");
  return *bytes;
}

Result<std::int64_t> parse_duration(std::string_view input) {
  const auto refuse = [input](std::string_view why) {
    return fail("", text::quoted(input) + std::string(why));
  };
  constexpr std::string_view kShape = " is not a duration such as 30s, 15m, 12h, 90d or 4w";
  if (input.empty()) return refuse(kShape);
  std::string_view rest = input;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units must fall, so that every duration has one reading
  while (!rest.empty()) {
    const std::string_view digits = rest.substr(0, digit_run(rest));
    rest.remove_prefix(digits.size());
    if (digits.empty() || rest.empty()) return refuse(kShape);
    while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].letter != rest.front()) {
      ++next_unit;
    }
    if (next_unit == kDurationUnits.size()) return refuse(kShape);
    const std::optional<std::int64_t> part = scale(digits, kDurationUnits[next_unit].seconds);
    if (!part || *part > kMax - total) return refuse(" is too long");
    total += *part;
    ++next_unit;
    rest.remove_prefix(1);
  }
  return total;
}

Result<std::int64_t> parse_cpus(std::string_view input) {
  const std::optional<Decimal> number = split_decimal(input);
  if (!number || !number->rest.empty() || number->fraction.size() > 9) {
    return fail("", text::quoted(input) + " is not a number of CPUs such as 2 or 0.5");
  }
  const std::optional<std::int64_t> nano = scale_decimal(*number, 1'000'000'000);
  if (!nano) return fail("", text::quoted(input) + " is too large");
  return *nano;
}

std::string format_bytes(std::int64_t bytes) {
  constexpr std::string_view kLetters = "kmgtp";
  std::size_t power = 0;
  while (bytes != 0 && bytes % 1024 == 0 && power < kLetters.size()) {
    bytes /= 1024;
    ++power;
  }
  std::string out = std::to_string(bytes);
  if (power > 0) out += kLetters[power - 1];
  return out;
}

std::string format_duration(std::int64_t seconds) {
  if (seconds == 0) return "0s";
  // People say 90d, not 12w6d: weeks only when nothing is left over.
  const bool whole_weeks = seconds % kDurationUnits[0].seconds == 0;
  std::string out;
  for (const DurationUnit& unit : kDurationUnits) {
    if (unit.letter == 'w' && !whole_weeks) continue;
    const std::int64_t count = seconds / unit.seconds;
    if (count == 0) continue;
    out += std::to_string(count) + unit.letter;
    seconds -= count * unit.seconds;
  }
  return out;
}

std::string format_cpus(std::int64_t nano_cpus) {
  constexpr std::int64_t kOne = 1'000'000'000;
  std::string out = std::to_string(nano_cpus / kOne);
  std::string fraction = std::to_string(nano_cpus % kOne);
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) out += "." + fraction;
  return out;
}

}  // namespace dockreeve
