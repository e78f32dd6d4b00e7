// Look-up answers from a file: defaults, strictness, and mistakes with their place.
#include "policy/context_file.h"

#include <gtest/gtest.h>

namespace dockreeve::policy {
namespace {

template <class T>
T answer(const ContextFile& context, LookupKind kind, const std::string& key) {
  const Result<Fact> fact = context.answer({kind, key});
  return fact && std::holds_alternative<T>(*fact) ? std::get<T>(*fact) : T{};
}

TEST(ContextFile, DefaultsAreAPlainEngine) {
  const auto context = ContextFile::parse("{}");
  ASSERT_TRUE(context);
  EXPECT_TRUE(answer<ImageFact>(*context, LookupKind::Image, "a").found);
  EXPECT_EQ(answer<ImageFact>(*context, LookupKind::Image, "a").user, "");
  EXPECT_FALSE(answer<VolumeFact>(*context, LookupKind::Volume, "v").found);
  EXPECT_EQ(answer<NetworkFact>(*context, LookupKind::Network, "n").name, "n");
  EXPECT_EQ(answer<PathFact>(*context, LookupKind::HostPath, "/srv").real, "/srv");
  EXPECT_EQ(answer<EngineFact>(*context, LookupKind::Engine, "").default_runtime, "runc");
}

TEST(ContextFile, NamesBeforeDefaults) {
  const auto context = ContextFile::parse(
      R"({"container":{"User":"7"},"containers":{"a":{"NetworkMode":"host"}},)"
      R"("image":{"User":"9","Healthcheck":{"Test":["CMD"]},"ageDays":3},"resolvesAsId":["cafe"],)"
      R"("volumes":{"v":{"Options":{"type":"nfs"}}},"realpath":{"/a":"/b"}})");
  ASSERT_TRUE(context) << context.error().text();
  EXPECT_EQ(answer<ContainerFact>(*context, LookupKind::Container, "a").network_mode, "host");
  EXPECT_EQ(answer<ContainerFact>(*context, LookupKind::Container, "b").user, "7");
  const auto image = answer<ImageFact>(*context, LookupKind::Image, "cafe");
  EXPECT_TRUE(image.id.starts_with("sha256:cafe"));
  EXPECT_EQ(image.user, "9");
  EXPECT_TRUE(image.healthcheck);
  EXPECT_EQ(image.age_days, 3);
  EXPECT_EQ(answer<VolumeFact>(*context, LookupKind::Volume, "v").driver, "local");
  EXPECT_EQ(answer<PathFact>(*context, LookupKind::HostPath, "/a").real, "/b");
}

TEST(ContextFile, StrictMeansNothingIsAssumed) {
  const auto context = ContextFile::parse(R"({"realpath":{"/a":"/b"}})");
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->answer({LookupKind::HostPath, "/a"}, true));
  const auto missing = context->answer({LookupKind::Volume, "v"}, true);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "the context has no answer for volume \"v\"");
}

TEST(ContextFile, MistakesSayWhere) {
  const auto where = [](const std::string& text) {
    const auto context = ContextFile::parse(text);
    return context ? "accepted" : context.error().where;
  };
  EXPECT_EQ(where(R"({"imgae":{}})"), "imgae");
  EXPECT_EQ(where(R"({"image":{"User":1}})"), "image.User");
  EXPECT_EQ(where(R"({"volumes":{"v":{"Drivers":"x"}}})"), "volumes.v.Drivers");
  EXPECT_EQ(where(R"({"containers":[]})"), "containers");
  EXPECT_EQ(where("{"), "");
}

}  // namespace
}  // namespace dockreeve::policy
