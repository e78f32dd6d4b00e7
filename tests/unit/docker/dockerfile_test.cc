#include "docker/dockerfile.h"

#include <gtest/gtest.h>

#include "docker/dockerfile_lines.h"

namespace dockreeve::docker {
namespace {

// "FROM:image@line ..." of what a file reads, or "! where: why".
std::string reads(const std::string& text, const BuildArgs& args = {}) {
  const auto file = parse_dockerfile(text, args);
  if (!file) return "! " + file.error().text();
  std::string out;
  for (const ImageUse& use : file->images) {
    out += (out.empty() ? "" : " ") + use.instruction + ":" + use.name + "@" + std::to_string(use.line);
  }
  return out;
}
bool refused(const std::string& text, const BuildArgs& args = {}) {
  return reads(text, args).starts_with("! ");
}

TEST(Dockerfile, From) {
  EXPECT_EQ(reads("FROM a"), "FROM:a@1");
  EXPECT_EQ(reads("# c\n\n  from --platform=linux/arm64 a:1 As B\n"), "FROM:a:1@3");
  EXPECT_EQ(reads("FROM a\tAS b\nFROM B\nFROM scratch\nFROM c"), "FROM:a@1 FROM:c@4");
  EXPECT_EQ(reads("\xef\xbb\xbf" "FROM a\r\nRUN x\r\n"), "FROM:a@1");
  EXPECT_EQ(reads("FR\\\nOM \\  \n\n   # no\n  a \\\n AS b"), "FROM:a@1");
  EXPECT_EQ(reads("FROM a AS scratch\nFROM scratch"), "FROM:a@1");
  // A stage is no stage before it exists.
  EXPECT_EQ(reads("FROM b\nFROM a AS b"), "FROM:b@1 FROM:a@2");
  for (const auto* text :
       {"", "# FROM a", "FROM", "FROM a b", "FROM a AS", "FROM a IS b", "FROM a AS b c",
        "FROM a AS 1", "FROM a AS b\nFROM c AS B", "RUN x\nFROM a", "FROM 'a", "FROM a\\b",
        "FROM \"\"", "FROM a\n\xc2\xa0RUN x", "FROM a\nR\xc4\xb0N x", "FROM a\n\xff", "FROM a\rb", "FROMM a", "FROM a AS \xe2\x84\xaa"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
  EXPECT_TRUE(refused(std::string("FROM a\0b", 8)));
  EXPECT_TRUE(refused("FROM a\nRUN " + std::string(70000, 'x')));
}

TEST(Dockerfile, Escape) {
  EXPECT_EQ(reads("# escape=`\nFROM `\na"), "FROM:a@2");
  EXPECT_EQ(reads("#ESCAPE = `\nFROM a\nRUN dir C:\\\nRUN x"), "FROM:a@2");
  EXPECT_EQ(reads("# syntax=docker/dockerfile:1\n# escape=\\\nFROM a"), "FROM:a@3");
  for (const auto* text : {"# x\n# escape=`\nFROM a", "\n# escape=`\nFROM a", "# escape=x\nFROM a",
                           "# escape=``\nFROM a", "FROM a\nRUN x \\\\\nFROM b"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
  EXPECT_EQ(reads("FROM a\n# escape=`\nRUN x"), "FROM:a@1");
}

TEST(Dockerfile, Arguments) {
  const std::string file = "ARG A=one\nARG B\nFROM $A:${B:-two}${C:+three}";
  EXPECT_EQ(reads(file), "FROM:one:two@3");
  EXPECT_EQ(reads(file, {{"A", "x"}, {"B", "y"}, {"C", "z"}}), "FROM:x:y@3");
  EXPECT_EQ(reads(file, {{"A", std::nullopt}}), "FROM:one:two@3");
  EXPECT_EQ(reads("ARG A=\"x y\" B='q'\nARG D='$q'\nARG C=\"${A}z\"\nFROM a:$E${E}b"), "FROM:a:b@4");
  EXPECT_EQ(reads("ARG A=a\nARG B=${A}b\nFROM $B", {{"A", "z"}}), "FROM:zb@3");
  // Only what stands in front of the first FROM counts.
  EXPECT_TRUE(refused("FROM a\nARG X=b\nFROM $X"));
  for (const auto* text :
       {"ARG A=1\nARG A=2\nFROM a", "ARG\nFROM a", "ARG =x\nFROM a", "ARG A=b C=$A\nFROM a",
        "ARG A=\\b\nFROM a", "FROM ${A", "FROM ${A:?x}", "FROM ${A#x}", "FROM ${A-x}", "FROM $1",
        "FROM $", "FROM ${A:-${B}}", "ARG http_proxy\nFROM a$http_proxy", "ARG \"A\"=b\nFROM $A"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
}

TEST(Dockerfile, Copies) {
  const std::string head = "FROM a AS one\nFROM b AS two\n";
  const std::string base = "FROM:a@1 FROM:b@2";
  EXPECT_EQ(reads(head + "COPY --from=one x y\nCOPY --from=ONE x y\nCOPY --from=0 x y"), base);
  EXPECT_EQ(reads(head + "COPY --chown=1 --from=other:1 x y"), base + " COPY --from:other:1@3");
  // The stage itself is not complete, so its name is an image's.
  EXPECT_EQ(reads(head + "COPY --from=two x y"), base + " COPY --from:two@3");
  EXPECT_EQ(reads(head + "COPY x --from=other y"), base);
  EXPECT_EQ(reads(head + "COPY -- --from=other y"), base);
  EXPECT_EQ(reads(head + "RUN --mount=type=bind,From=c,target=/x cat"), base + " RUN --mount:c@3");
  EXPECT_EQ(reads(head + "ONBUILD COPY --from=one x y"), base + " COPY --from:one@3");
  for (const auto* line :
       {"COPY --from=1 x y", "COPY --from=7 x y", "COPY --from=+0 x y", "COPY --from=00 x y",
        "COPY --from=$X x y", "COPY --from='one' x y", "COPY --fr\\om=one x y",
        "RUN --mount=from=$X x", "ONBUILD FROM x", "ONBUILD ONBUILD RUN x", "ONBUILD"}) {
    EXPECT_TRUE(refused(head + line)) << line;
  }
}

TEST(Dockerfile, HereDocuments) {
  for (const auto* line : {"RUN <<EOF", "RUN cat <<-EOF >x", "COPY <<X /y", "RUN 3<<A", "ONBUILD RUN <<A"}) {
    EXPECT_TRUE(refused(std::string("FROM a\n") + line + "\nEOF")) << line;
  }
  EXPECT_FALSE(refused("FROM a\nRUN echo $((1<<2)) && cat <<<x"));
}

TEST(Dockerfile, Users) {
  const auto user = [](const std::string& text, std::string_view target = "") -> std::string {
    const auto file = parse_dockerfile(text, {});
    if (!file) return "!";
    const BuildStage* stage = final_stage(*file, target);
    return !stage ? "none" : stage->user.value_or("-");
  };
  EXPECT_EQ(user("FROM a\nUSER root\nUSER  1000:1 "), "1000:1");
  EXPECT_EQ(user("FROM a\nONBUILD USER 5"), "-");
  EXPECT_EQ(user("FROM a AS x\nUSER 7\nFROM b", "X"), "7");
  EXPECT_EQ(user("FROM a AS x\nUSER 7\nFROM b"), "-");
  EXPECT_EQ(user("FROM a", "y"), "none");
}

TEST(Dockerfile, Labels) {
  const auto keys = [](const std::string& line) {
    const auto file = parse_dockerfile("FROM a\n" + line, {});
    std::string out;
    for (const std::string& key : file ? file->labels : std::vector<std::string>{"!"}) out += key + " ";
    return out;
  };
  EXPECT_EQ(keys("LABEL a=b \"c d\"='e f=g' \\\n  h=\\\"i"), "a c d h ");
  EXPECT_EQ(keys("LABEL key value words=x"), "key ");
  EXPECT_EQ(keys("ONBUILD LABEL io.dockre\\eve.x=1"), "io.dockreeve.x ");
}

TEST(Changes, Lines) {
  EXPECT_TRUE(parse_changes({"ENV a=b", "label x=y", ""}));
  EXPECT_EQ(parse_changes({"LABEL x=y"})->labels, std::vector<std::string>{"x"});
  EXPECT_EQ(parse_changes({"ONBUILD COPY --from=i / /"})->images.size(), 1u);
  for (const auto* line : {"# escape=`", "ENV a \\", "FROM x", "NOPE", "RUN <<A"}) {
    EXPECT_FALSE(parse_changes({line})) << line;
  }
}

}  // namespace
}  // namespace dockreeve::docker
