// Drives a compiled design through cxxrtl's C interface: whole runs in one call.
#include <cxxrtl/capi/cxxrtl_capi.h>
#include <cstdint>

namespace {

// A port: its value in chunks of 32 bits, lowest first.
struct port {
  uint32_t *in, *out;
  port(cxxrtl_handle design, const char *name) : in(nullptr), out(nullptr) {
    if (cxxrtl_object *object = cxxrtl_get(design, name)) {
      out = object->curr;
      in = object->next ? object->next : object->curr;
    }
  }
};

// A rising edge of the clock; then the outputs are settled and readable.
void tick(cxxrtl_handle design, const port &clk) {
  *clk.in = 1;
  design->module->step();
  *clk.in = 0;
  design->module->step();
}

void copy(uint32_t *to, const uint32_t *from, int chunks) {
  for (int i = 0; i < chunks; i++) to[i] = from[i];
}

// Drive an input; whether that changes it.
bool set(const port &input, uint32_t value) {
  bool changed = *input.in != value;
  *input.in = value;
  return changed;
}

// Whether something is done in a clock: always, or at random if `seed` is not 0.
uint32_t coin(uint32_t &seed) {
  if (!seed) return ~0u;
  seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
  return seed;
}

}  // namespace

extern "C" {

// What is recorded: a port, whole, in every clock in which it has a bit of `mask`, or, without one,
// in which something leaves.
struct scneuro_seen {
  const char *name;
  const uint32_t *mask;
  int32_t chunks;
  uint32_t *records;
  int64_t most, count;
  const uint32_t *from;  // the port

  bool any() const {
    uint32_t bits = 0;
    for (int i = 0; i < chunks; i++) bits |= from[i] & mask[i];
    return bits;
  }
};

cxxrtl_toplevel cxxrtl_design_create();

void *scneuro_open() {
  cxxrtl_handle design = cxxrtl_create(cxxrtl_design_create());
  cxxrtl_step(design);
  return design;
}

void scneuro_close(void *design) { cxxrtl_destroy(static_cast<cxxrtl_handle>(design)); }

// Take gates through `frames` frames: give `i` the payloads of each, up to its number in `ends`, and
// take what leaves `o`. What is seen is recorded, in whole chunks. What begins and ends a frame is
// told by the ports that there are:
//   no `tick`: the next one begins when `answers` payloads have left;
//   `tick` and `ready`: it begins where both are 1, and the next one's payloads come meanwhile;
//   `tick` alone: it is always 1, and payloads come one frame's behind the other's.
// It is over after the last answer, or `done`, and `rest` clocks in which nothing happens. Where
// `stall` is not 0, payloads leave, and come if `tick` is always 1, in about half of the clocks, at
// random.
//
// Adds the clocks to `clocks`. Returns 1, or 0 if nothing happened for `patience` clocks, or -1 if
// there was more than there is room for, or an answer to what was not asked.
int scneuro_drive(void *handle, int64_t frames, const int64_t *ends, const uint32_t *payloads,
                  int payload_chunks, int64_t answers, int count, scneuro_seen *seen,
                  uint32_t *stall, int64_t rest, int64_t patience, int64_t *clocks) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, "clk"), payload(design, "i__payload"), valid(design, "i__valid");
  port ready(design, "i__ready"), leaves(design, "o__valid"), taken(design, "o__ready");
  port start(design, "tick"), startable(design, "ready"), done(design, "done");
  for (int i = 0; i < count; i++) seen[i].from = port(design, seen[i].name).out;
  bool pulsed = start.in && startable.out, held = start.in && !pulsed;
  if (held && set(start, 1)) cxxrtl_step(design);
  int64_t word = 0, shown = -1, frame = 0, given = 0, left = 0, finished = 0, quiet = 0;
  while (finished < frames || quiet < rest) {
    uint32_t may = coin(*stall);
    bool gives = frame < frames && word < ends[frame];
    bool changed = set(valid, gives && (may & 1 || !held));
    if (*valid.in && shown != word) {
      copy(payload.in, payloads + word * payload_chunks, payload_chunks);
      shown = word, changed = true;
    }
    if (pulsed) changed |= set(start, frame < frames && !gives);
    changed |= set(taken, may >> 1 & 1);
    if (changed) cxxrtl_step(design);
    quiet++;
    bool leaving = *leaves.out && *taken.in;
    for (scneuro_seen *it = seen; it < seen + count; it++) {
      if (it->mask ? !it->any() : !leaving) continue;
      if (it->count == it->most) return -1;
      copy(it->records + it->count++ * it->chunks, it->from, it->chunks);
      quiet = 0;
    }
    if (*leaves.out) quiet = 0;
    if (leaving && answers && left == answers * given) return -1;
    left += leaving;
    if (done.out && *done.out) finished++, quiet = 0;
    if (*valid.in && *ready.out) {
      quiet = 0;
      if (++word == ends[given]) given++;
    } else if (pulsed && *start.in && *startable.out) {
      frame++, quiet = 0;
    }
    if (held) frame = given;
    if (answers && left == answers * (frame + 1)) frame = ++finished;
    if (quiet > patience) return 0;
    tick(design, clk);
    ++*clocks;
  }
  return 1;
}

// Run `count` clocks; `levels` gets the bit `output` has after each.
int64_t scneuro_watch(void *handle, const char *clock, const char *output, int64_t count,
                      uint8_t *levels) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, clock), pin(design, output);
  if (!clk.in || !pin.out) return -1;
  for (int64_t i = 0; i < count; i++) {
    tick(design, clk);
    levels[i] = *pin.out & 1;
  }
  return count;
}

// Run a board's design for `most` clocks, with a UART of `divisor` clocks a bit on its pins: `given`
// goes into `rx`, byte after byte, and what leaves `tx` goes to `sent`. Returns before that when
// bytes have left and no other follows, or there is no room for one. `line` keeps where both lines
// stand, from one call to the next. `counts` gets the bytes that went in, those that left, those
// that had no stop bit, the clocks, and the levels of `led` and `late`. Returns 0 if the design has
// no such pins.
//
// The logic is evaluated once a clock, at its rising edge, and pins are seen as they were before.
int scneuro_uart(void *handle, int64_t most, int divisor, const uint8_t *given, int64_t count,
                 uint8_t *sent, int64_t room, int32_t *line, int64_t *counts) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  cxxrtl::module &gates = *design->module;
  port clk(design, "clk"), rx(design, "rx"), tx(design, "tx"), led(design, "led"), late(design, "late");
  if (!clk.in || !rx.in || !tx.out || !led.out || !late.out) return 0;
  // of what goes in and of what comes out: its bits, how many are to go, clocks to the next one
  int32_t in_bits = line[0], in_left = line[1], in_wait = line[2];
  int32_t out_bits = line[3], out_left = line[4], out_wait = line[5], idle = line[6];
  int64_t in = 0, out = 0, broken = 0, clocks = 0;
  while (clocks < most && out < room && !(out && idle > 2 * divisor)) {
    if (in_wait) in_wait--;
    if (!in_wait) {
      if (!in_left && in < count) in_bits = given[in++] << 1 | 1 << 9, in_left = 10;
      if (in_left) *rx.in = in_bits & 1, in_bits >>= 1, in_left--, in_wait = divisor;
    }
    *clk.in = 1;
    while (!gates.eval() && gates.commit()) {}  // it may not know that nothing changes any more
    *clk.in = 0;
    gates.commit();
    clocks++;
    int32_t level = *tx.out & 1;
    if (!out_left) {
      idle++;
      if (!level) out_left = 9, out_bits = 0, out_wait = divisor + divisor / 2, idle = 0;
    } else if (!--out_wait) {
      out_wait = divisor;
      if (--out_left) out_bits |= level << (8 - out_left);
      else if (level) sent[out++] = out_bits;
      else broken++;
    }
  }
  line[0] = in_bits, line[1] = in_left, line[2] = in_wait;
  line[3] = out_bits, line[4] = out_left, line[5] = out_wait, line[6] = idle;
  counts[0] = in, counts[1] = out, counts[2] = broken, counts[3] = clocks;
  counts[4] = *led.out & 1, counts[5] = *late.out & 1;
  return 1;
}

// Set an input; returns 0 if there is none of that name.
int scneuro_set(void *handle, const char *name, uint32_t value) {
  port input(static_cast<cxxrtl_handle>(handle), name);
  if (!input.in) return 0;
  *input.in = value;
  cxxrtl_step(static_cast<cxxrtl_handle>(handle));
  return 1;
}
}
