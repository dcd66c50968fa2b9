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
  cxxrtl_step(design);
  *clk.in = 0;
  cxxrtl_step(design);
}

void copy(uint32_t *to, const uint32_t *from, int chunks) {
  for (int i = 0; i < chunks; i++) to[i] = from[i];
}

// What is recorded: a port, whole, in every clock in which it has a bit of a mask.
struct watched {
  const uint32_t *mask, *from;
  int chunks;
  uint32_t *to;
  int64_t most, *count;

  // Whether there is something, which is recorded.
  bool look() {
    bool any = false;
    for (int i = 0; i < chunks; i++) any |= (from[i] & mask[i]) != 0;
    if (any && *count < most) copy(to + *count * chunks, from, chunks);
    if (any) ++*count;
    return any;
  }

  // Whether there was more than there is room for.
  bool over() const { return *count > most; }
};

// Whether something is done in a clock: always, or at random if `seed` is not 0.
uint32_t coin(uint32_t &seed) {
  if (!seed) return ~0u;
  seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
  return seed;
}

}  // namespace

extern "C" {

cxxrtl_toplevel cxxrtl_design_create();

void *scneuro_open() {
  cxxrtl_handle design = cxxrtl_create(cxxrtl_design_create());
  cxxrtl_step(design);
  return design;
}

void scneuro_close(void *design) { cxxrtl_destroy(static_cast<cxxrtl_handle>(design)); }

// Give a neuron's input stream `count` payloads and take as many results: its output payload, then
// its state, each in whole chunks. Returns how many were taken; fewer, if the neuron gave no result
// within `patience` clocks or a second one for one input. Adds the clocks that passed to `clocks`.
int64_t scneuro_steps(void *handle, int64_t count, const uint32_t *payloads, int payload_chunks,
                      uint32_t *results, int result_chunks, int state_chunks, int64_t patience,
                      int64_t *clocks) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, "clk"), payload(design, "i__payload"), valid(design, "i__valid");
  port ready(design, "i__ready"), taken(design, "o__ready"), result(design, "o__payload");
  port done(design, "o__valid"), state(design, "state");
  for (int64_t step = 0; step < count; step++) {
    copy(payload.in, payloads + step * payload_chunks, payload_chunks);
    *valid.in = 1;
    *taken.in = 1;
    cxxrtl_step(design);
    bool accepted = false;
    int64_t waited = 0;
    while (true) {
      accepted = *ready.out;
      tick(design, clk);
      waited++;
      if (accepted) *valid.in = 0, cxxrtl_step(design);
      if (*valid.in == 0 && *done.out) break;
      if (waited > patience) return step;
    }
    uint32_t *row = results + step * (result_chunks + state_chunks);
    copy(row, result.out, result_chunks);
    copy(row + result_chunks, state.out, state_chunks);
    tick(design, clk);
    *clocks += waited + 1;
    if (*done.out) return step;
  }
  return count;
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

// Take a population through `steps` time steps: add `rows` payloads to its inputs, tick, and do so
// again while it computes. What it writes goes to `written`, in whole chunks, one record for every
// clock in which it has a bit of `mask`; its spikes go to `spikes`. Where `stall` is not 0, spikes
// are taken in about half of the clocks, at random. `counts` gets records, spikes, steps that were
// done, and adds the clocks. Returns 0 if it stopped answering, or a buffer is too small.
int scneuro_population(void *handle, int64_t steps, int64_t rows, const uint32_t *payloads,
                       int payload_chunks, const uint32_t *mask, int written_chunks,
                       uint32_t *written, int64_t most_written, int spike_chunks, uint32_t *spikes,
                       int64_t most_spikes, uint32_t stall, int64_t patience, int64_t *counts) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, "clk"), payload(design, "i__payload"), valid(design, "i__valid");
  port ready(design, "i__ready"), start(design, "tick"), startable(design, "ready");
  port done(design, "done"), spike(design, "o__payload"), fired(design, "o__valid");
  port taken(design, "o__ready"), writes(design, "written");
  watched records{mask, writes.out, written_chunks, written, most_written, counts};
  int64_t step = 0, row = 0, quiet = 0, finished = 0;
  counts[0] = counts[1] = 0;
  while (finished < steps || quiet < 16) {
    *valid.in = step < steps && row < rows;
    *start.in = step < steps && row == rows;
    if (*valid.in) copy(payload.in, payloads + (step * rows + row) * payload_chunks, payload_chunks);
    *taken.in = coin(stall) & 1;
    cxxrtl_step(design);
    quiet++;
    if (records.look()) quiet = 0;
    if (records.over()) return 0;
    if (*fired.out && *taken.in) {
      if (counts[1] == most_spikes) return 0;
      copy(spikes + counts[1]++ * spike_chunks, spike.out, spike_chunks);
    }
    if (*fired.out || *done.out) quiet = 0;
    finished += *done.out & 1;
    if (*valid.in && *ready.out) row++, quiet = 0;
    else if (*start.in && *startable.out) step++, row = 0, quiet = 0;
    if (quiet > patience) break;
    tick(design, clk);
    counts[3]++;
  }
  counts[2] = finished;
  return finished == steps;
}

// Take a network through `steps` time steps: give it `words` words of 16 bits as it takes them. What
// it writes goes to `written` as for a population; the words that leave go to `sent`. Where `stall`
// is not 0, words come and leave in about half of the clocks, at random. `counts` gets records,
// words that left, steps that were done, and adds the clocks. Returns 0 if it stopped answering, or
// a buffer is too small.
int scneuro_network(void *handle, int64_t steps, int64_t words, const uint32_t *given,
                    const uint32_t *mask, int written_chunks, uint32_t *written,
                    int64_t most_written, uint32_t *sent, int64_t most_sent, uint32_t stall,
                    int64_t patience, int64_t *counts) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, "clk"), word(design, "i__payload"), valid(design, "i__valid");
  port ready(design, "i__ready"), start(design, "tick");
  port done(design, "done"), out(design, "o__payload"), leaves(design, "o__valid");
  port taken(design, "o__ready"), writes(design, "written");
  watched records{mask, writes.out, written_chunks, written, most_written, counts};
  *start.in = 1;
  int64_t fed = 0, quiet = 0;
  counts[0] = counts[1] = counts[2] = 0;
  while (counts[2] < steps) {
    uint32_t may = coin(stall);
    *valid.in = fed < words && (may & 1);
    if (*valid.in) *word.in = given[fed];
    *taken.in = may >> 1 & 1;
    cxxrtl_step(design);
    quiet++;
    if (records.look()) quiet = 0;
    if (records.over()) return 0;
    if (*leaves.out && *taken.in) {
      if (counts[1] == most_sent) return 0;
      sent[counts[1]++] = *out.out;
      quiet = 0;
    }
    if (*valid.in && *ready.out) fed++, quiet = 0;
    counts[2] += *done.out & 1;
    if (quiet > patience) break;
    tick(design, clk);
    counts[3]++;
  }
  return counts[2] == steps;
}

// Give a layer the words of its `inputs`, `runs` times, and take the counts of its `neurons` after
// each. What it counts and writes goes to `counted` and `written`, in whole chunks, one record for
// every clock in which it has a bit of its mask. `counts` gets the records of both and the clocks.
// Returns how many runs were done; fewer if it stopped answering, or a buffer is too small.
int64_t scneuro_layer(void *handle, int64_t runs, int inputs, int neurons, const uint32_t *payloads,
                      int payload_chunks, uint32_t *rates, const uint32_t *counted_mask,
                      int counted_chunks, uint32_t *counted, int64_t most_counted,
                      const uint32_t *written_mask, int written_chunks, uint32_t *written,
                      int64_t most_written, int64_t patience, int64_t *counts) {
  cxxrtl_handle design = static_cast<cxxrtl_handle>(handle);
  port clk(design, "clk"), payload(design, "i__payload"), valid(design, "i__valid");
  port ready(design, "i__ready"), rate(design, "o__payload"), done(design, "o__valid");
  port taken(design, "o__ready"), counting(design, "counted"), writes(design, "written");
  watched all[] = {{counted_mask, counting.out, counted_chunks, counted, most_counted, counts},
                   {written_mask, writes.out, written_chunks, written, most_written, counts + 1}};
  for (int64_t run = 0; run < runs; run++) {
    int input = 0, neuron = 0;
    int64_t quiet = 0;
    while (neuron < neurons) {
      *valid.in = input < inputs;
      *taken.in = 1;
      if (input < inputs) copy(payload.in, payloads + (run * inputs + input) * payload_chunks, payload_chunks);
      cxxrtl_step(design);
      quiet++;
      for (watched &records : all) {
        if (records.look()) quiet = 0;
        if (records.over()) return run;
      }
      if (*done.out) rates[run * neurons + neuron++] = *rate.out, quiet = 0;
      if (*valid.in && *ready.out) input++, quiet = 0;
      if (quiet > patience) return run;
      tick(design, clk);
      counts[2]++;
    }
  }
  return runs;
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
