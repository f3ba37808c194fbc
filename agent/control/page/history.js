// What was seen in the last ten minutes. The agent keeps none of it: it begins when the page is opened.

const kSpan = 600;  // seconds
const kSpans = [60, 120, 300, kSpan];  // of a plot: the least that has all that was seen

// Of one pipeline. Times are the agent's, in seconds since its start.
class History {
  constructor() {
    this.points = [];  // { from, to, in, out }: records a second between two looks
    this.last = null;
  }

  add(now, pipeline) {
    const { read, delivered } = pipeline.records;
    const stages = pipeline.stages.map((stage) => stage.out);
    const last = this.last;
    this.rates = null;
    if (last !== null && now > last.now) {
      // A counter that is less than before counts another run.
      const per = (value, before) => (value < (before ?? 0) ? value : value - (before ?? 0)) / (now - last.now);
      this.rates = {
        in: per(read, last.read), out: per(delivered, last.delivered),
        stages: stages.map((out, i) => per(out, last.stages[i])),
      };
      this.points.push({ from: last.now, to: now, in: this.rates.in, out: this.rates.out });
    }
    this.last = { now, read, delivered, stages };
    while (this.points.length > 0 && this.points[0].to < now - kSpan) this.points.shift();
  }

  most() {
    return this.points.reduce((most, point) => Math.max(most, point.in, point.out), 0);
  }

  span() {
    const seen = this.points.length === 0 ? 0 : this.last.now - this.points[0].from;
    return kSpans.find((span) => span >= seen) ?? kSpan;
  }

  // Of an SVG of 600 by 100, the newest at the right.
  path(which, most) {
    if (this.last === null || this.points.length === 0) return '';
    const span = this.span();
    const x = (time) => Math.max(0, 600 - 600 * (this.last.now - time) / span).toFixed(1);
    const y = (value) => (97 - 94 * value / (most || 1)).toFixed(1);
    let out = '';
    for (const point of this.points)
      out += (out === '' ? 'M' + x(point.from) + ' ' : 'L' + x(point.from) + ' ') + y(point[which]) +
        'H' + x(point.to);
    return out;
  }
}
