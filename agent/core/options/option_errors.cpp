#include "options/option_errors.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "options/problem_words.h"

namespace leat {
namespace {

tl::unexpected<Error> fail_with(Problems problems) {
  std::string message;
  for (const Problem& problem : problems.all())
    message += (message.empty() ? "" : "\n") + line_of(problem);
  return tl::unexpected<Error>(Error(ErrorKind::kUsage, std::move(message),
                                     std::make_shared<const Problems>(std::move(problems))));
}

}  // namespace

void OptionErrors::add(const Options& options, std::string_view name, const Error& error) {
  if (error.problems() == nullptr) return add(options, name, error.message());
  for (Problem problem : error.problems()->all()) {
    problem.path = options.path(name) + problem.path;
    add(std::move(problem));
  }
}

void OptionErrors::take(const Error& error) {
  if (error.problems() == nullptr) return add({.text = error.message()});
  for (const Problem& problem : error.problems()->all()) add(problem);
}

Status OptionErrors::status() const {
  if (empty()) return {};
  return fail_with(problems_);
}

tl::unexpected<Error> fail_option(Problem problem) {
  Problems problems;
  problems.add(std::move(problem));
  return fail_with(std::move(problems));
}

tl::unexpected<Error> fail_option(std::string path, std::string why) {
  return fail_option({.path = std::move(path), .text = std::move(why)});
}

tl::unexpected<Error> fail_option(const Options& options, std::string_view name, std::string why,
                                  Problem::Kind kind) {
  return fail_option({.kind = kind, .path = options.path(name), .text = std::move(why)});
}

std::string path_of_key(const std::string& parent, std::string_view key) {
  auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$';
  };
  if (key.empty() || !std::ranges::all_of(key, plain)) return parent + "[\"" + excerpt(key) + "\"]";
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string path_of_index(const std::string& parent, size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

}  // namespace leat
