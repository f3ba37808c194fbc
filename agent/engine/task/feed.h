// Gives a running task records beside those of its source: dead letters that are tried again. They
// go the same way, from the first step or a later one, and are acknowledged to the feed.
//
// Thread: the task's loop. Lifetime: a task has one at a time, for as long as it needs it to
// acknowledge; with the task it goes at the latest.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"
#include "record/batch.h"
#include "spool/brought.h"
#include "stage/codec.h"
#include "task/rejection.h"

namespace leat {

// What a feed is given. Outlives it.
class FeedHost {
 public:
  virtual ~FeedHost() = default;
  virtual Loop& loop() = 0;
  virtual const PipelineConfig& config() const = 0;
  virtual BlockPool& pool() = 0;
  virtual Budget& budget() = 0;  // what the feed holds counts against it
  // The steps of the chain (Chain::stages()).
  virtual std::vector<std::string> steps() const = 0;
  // How the source's stream is cut; null: it gives messages, or records.
  virtual const Framing* framing() = 0;
  // The decoder must see the start of a stream first.
  virtual bool needs_preamble() = 0;
  // What the sink has saved with the data, or the journal, for whoever fed before.
  virtual const std::vector<SavedPosition>& saved() = 0;
  // There may be something to give now.
  virtual void wake() = 0;
};

class Feed : public Acknowledger {
 public:
  // Of nobody's stream: no source has such a partition.
  static constexpr uint32_t kPartition = UINT32_MAX;

  struct Given {
    BatchRef batch;   // with begin, end and arrival_us; null: nothing now
    size_t step = 0;  // as Chain::take()
  };
  bool gives_dead_letters() const override { return true; }
  // There is room for one more.
  virtual Given next() = 0;
  // What is known of the record that ends there, which goes into the spool. Once for each.
  virtual Brought brought_by(const Position& behind) = 0;
  // A record of it is a dead letter again: gives it its name.
  virtual void rejected(Rejection& rejection) = 0;
  // The task ends: there will be no next().
  virtual void stop() = 0;
  // All that it gave is acknowledged, and it has nothing more to do.
  virtual bool over() const = 0;
};

using MakeFeed = std::function<std::unique_ptr<Feed>(FeedHost& host)>;

}  // namespace leat
