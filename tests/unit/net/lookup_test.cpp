#include "net/lookup.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "net/scripted_server.h"
#include "net/stream_fixture.h"

namespace leat::testing {
namespace {

// A system whose name server answers for some names, and is silent for the others until release().
class Names {
 public:
  Names() {
    Lookup::resolve_with([this](const std::string& host) { return resolve(host); });
  }
  ~Names() {
    release();
    // No thread may be left that would look at this.
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (Lookup::under_way() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(Lookup::under_way(), 0u);
    Lookup::resolve_with(nullptr);
  }

  void silent_for(const std::string& host) {
    std::lock_guard lock(mutex_);
    silent_.insert(host);
  }
  void release() {
    std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  void wait_until_asked_for(const std::string& host, int times = 1) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(60), [&] { return asked_[host] >= times; }));
  }
  int asked_for(const std::string& host) {
    std::lock_guard lock(mutex_);
    return asked_[host];
  }

 private:
  Lookup::Answer resolve(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_[host];
    changed_.notify_all();
    if (silent_.count(host) > 0) changed_.wait(lock, [this] { return released_; });
    if (host.starts_with("unknown"))
      return fail(ErrorKind::kUnavailable, "unknown node or service");
    std::vector<sockaddr_storage> addresses(1);
    uv_ip4_addr("127.0.0.1", 0, reinterpret_cast<sockaddr_in*>(&addresses[0]));
    return addresses;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> asked_;
  std::set<std::string> silent_;
  bool released_ = false;
};

class Lookups : public StreamTest {
 protected:
  ~Lookups() override {
    stream_.reset();
    server_.reset();
  }
  Address at(const std::string& host) { return {host, server_->port()}; }
  std::string named(const std::string& host) { return "connect " + at(host).text() + ": "; }

  Names names_;
  std::unique_ptr<ScriptedServer> server_ = std::make_unique<ScriptedServer>(loop_);
};

TEST_F(Lookups, a_name_that_is_never_answered_delays_no_other) {
  std::vector<std::unique_ptr<Lookup>> silent;
  for (int i = 0; i < 20; ++i) {
    const std::string host = "silent-" + std::to_string(i) + ".example";
    names_.silent_for(host);
    silent.push_back(std::make_unique<Lookup>(
        loop_, host, [](Lookup::Answer) { ADD_FAILURE() << "nobody answered"; }));
  }
  EXPECT_EQ(connect(at("good.example")), "ok");
  EXPECT_EQ(Lookup::under_way(), 20u);
}

TEST_F(Lookups, each_failure_names_its_own_host) {
  names_.silent_for("silent.example");
  EXPECT_EQ(connect_in_vain(at("silent.example")),
            named("silent.example") + "the name was not resolved within 10.0s");
  renew();
  EXPECT_EQ(connect(at("unknown.example")), named("unknown.example") + "unknown node or service");
}

TEST_F(Lookups, who_asks_for_a_name_that_is_looked_up_waits_for_the_same_answer) {
  names_.silent_for("slow.example");
  int answers = 0;
  auto count = [&answers](const Lookup::Answer& answer) { answers += answer ? 1 : 0; };
  Lookup first(loop_, "slow.example", count);
  Lookup second(loop_, "slow.example", count);
  names_.wait_until_asked_for("slow.example");
  names_.release();
  EXPECT_TRUE(run([&answers] { return answers == 2; }));
  EXPECT_EQ(names_.asked_for("slow.example"), 1);
  // An answer is for those who waited for it: the next one asks anew.
  Lookup third(loop_, "slow.example", count);
  EXPECT_TRUE(run([&answers] { return answers == 3; }));
  EXPECT_EQ(names_.asked_for("slow.example"), 2);
}

TEST_F(Lookups, an_answer_reaches_the_loops_of_all_who_wait) {
  testing::HandLoop other;
  names_.silent_for("slow.example");
  bool here = false;
  bool there = false;
  {
    Lookup one(loop_, "slow.example", [&here](const Lookup::Answer&) { here = true; });
    Lookup two(other, "slow.example", [&there](const Lookup::Answer&) { there = true; });
    names_.release();
    EXPECT_TRUE(run([&here] { return here; }));
    EXPECT_TRUE(run_until(other, [&there] { return there; }));
  }
  EXPECT_TRUE(other.close());
}

TEST_F(Lookups, what_is_given_up_is_waited_for_by_nobody) {
  names_.silent_for("silent.example");
  stream_->connect(at("silent.example"), Milliseconds{60'000});
  names_.wait_until_asked_for("silent.example");
  stream_.reset();
  server_.reset();
  uv_run(loop_.uv(), UV_RUN_DEFAULT);  // ends: nothing is left in the loop
  EXPECT_EQ(Lookup::under_way(), 1u);
}

TEST_F(Lookups, may_be_given_up_in_the_answer) {
  std::unique_ptr<Lookup> lookup;
  lookup = std::make_unique<Lookup>(loop_, "good.example",
                                    [&lookup](const Lookup::Answer&) { lookup.reset(); });
  EXPECT_TRUE(run([&lookup] { return lookup == nullptr; }));
}

TEST(Lookup, of_the_system_says_that_a_name_is_unknown) {
  testing::HandLoop loop;
  std::string problem;
  {
    // RFC 6761 section 6.4: nobody may know it. A blank makes sure that nobody is asked, either.
    Lookup lookup(loop, "no such name.invalid", [&problem](const Lookup::Answer& answer) {
      problem = answer ? "found" : answer.error().message();
    });
    EXPECT_TRUE(run_until(loop, [&problem] { return !problem.empty(); }));
  }
  EXPECT_NE(problem, "found");
  EXPECT_TRUE(loop.close());
}

}  // namespace
}  // namespace leat::testing
