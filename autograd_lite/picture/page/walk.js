"use strict";
/* The walk through the graph: which step it is, what is reached by then, and what the step says. */

/** Put a sentence of (kind, text) pairs into an element. */
function say(element, sentence) {
  element.replaceChildren(...sentence.map(([kind, text]) => {
    const part = document.createElement(kind ? "span" : "i");
    if (kind) part.className = `say-${kind}`;
    part.textContent = text;
    return part;
  }));
}

class Walk {
  constructor(data, controls, onStep) {
    this.data = data;
    this.controls = controls;
    this.onStep = onStep;
    this.last = data.steps.length - 1;
    this.step = this.last;
    this.timer = null;
    this.stops = data.steps.map((_, k) => k);
    controls.slider.max = String(this.last);
    controls.slider.addEventListener("input", () => this.go(Number(controls.slider.value)));
    controls.first.addEventListener("click", () => this.go(0));
    controls.back.addEventListener("click", () => this.move(-1));
    controls.next.addEventListener("click", () => this.move(1));
    controls.end.addEventListener("click", () => this.go(this.last));
    controls.play.addEventListener("click", () => this.toggle());
    controls.speed.addEventListener("change", () => this.playing && this.schedule());
  }

  get playing() {
    return this.timer !== null;
  }

  /** The steps at which something visible happens: a folded layer has one each way. */
  setView(homes) {
    this.homes = homes;
    const ends = new Map();
    const keyAt = ({ atom, way }) => {
      const home = atom >= 0 && way !== "seed" ? homes[atom] : null;
      return home && home[0] === "g" ? `${home} ${way}` : null;
    };
    this.data.steps.forEach((step, k) => ends.set(keyAt(step), k));
    this.stops = this.data.steps.flatMap((step, k) => {
      const key = keyAt(step);
      return key === null || ends.get(key) === k ? [k] : [];
    });
  }

  /** One visible step on or back; steps inside a folded layer are passed over. */
  move(by) {
    const next = by > 0
      ? this.stops.find((k) => k > this.step)
      : [...this.stops].reverse().find((k) => k < this.step);
    if (next !== undefined) this.go(next);
    return next !== undefined;
  }

  go(step) {
    this.step = Math.max(0, Math.min(this.last, step));
    this.refresh();
    this.onStep(this.step);
  }

  /** Where the step happens, and its sentence. */
  get here() {
    const { atom, way, says } = this.data.steps[this.step];
    const home = atom < 0 ? null : this.homes[atom];
    const layer = home && home[0] === "g" ? this.data.groups[Number(home.slice(1))] : null;
    const whole = layer && this.stops.includes(this.step) && way !== "seed";
    return { way, home, says: whole ? layer[way] : says };
  }

  refresh() {
    const { way, says } = this.here;
    const { slider, sentence, count, stage } = this.controls;
    slider.value = String(this.step);
    const text = `Step ${this.step} of ${this.last}`;
    slider.setAttribute("aria-valuetext", text);
    count.textContent = `${this.step} / ${this.last}`;
    const names = { start: "start", forward: "forward", seed: "turning", backward: "backward", end: "end" };
    stage.textContent = names[way];
    stage.dataset.way = way;
    say(sentence, says);
    this.controls.first.disabled = this.controls.back.disabled = this.step === 0;
    this.controls.end.disabled = this.controls.next.disabled = this.step === this.last;
  }

  toggle() {
    if (this.playing) {
      this.stop();
      return;
    }
    if (this.step === this.last) this.go(0);
    this.schedule();
  }

  schedule() {
    clearInterval(this.timer);
    const seconds = Number(this.controls.speed.value);
    this.timer = setInterval(() => {
      if (!this.move(1) || this.step === this.last) this.stop();
    }, seconds * 1000);
    this.mark("Pause", "pause");
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.mark("Play", "play");
  }

  mark(label, icon) {
    this.controls.play.setAttribute("aria-label", label);
    this.controls.play.title = `${label} (Space)`;
    this.controls.play.dataset.icon = icon;
  }
}

/** Show what is reached at a step, hide what is not, and point at where it happens. */
function paint(canvas, data, homes, step, { way, home }) {
  const atoms = data.atoms;
  const reached = new Map();
  homes.forEach((key, a) => reached.set(key, Math.max(reached.get(key) ?? 0, atoms[a].forward)));
  const madeAt = (value) => atoms[data.values[value].atom].forward;
  for (const [key, element] of canvas.marks) {
    if (key.startsWith("frame")) continue;
    const at = key[0] === "d" ? madeAt(Number(key.slice(1))) : reached.get(key);
    const here = key === home;
    element.classList.toggle("ahead", at > step);
    element.classList.toggle("now", here);
    element.dataset.way = here ? way : "";
  }
  for (const { edge, element, above, beneath } of canvas.edges) {
    const made = madeAt(edge.value) <= step;
    const back = edge.turn >= 0 && edge.turn <= step;
    const arriving = edge.source === home && (way === "backward" || way === "forward");
    const begins = way === "seed" && edge.turn === step;
    element.classList.toggle("ahead", !made);
    element.classList.toggle("now", edge.target === home || arriving || begins);
    above?.classList.toggle("pending", !made);
    beneath?.classList.toggle("pending", !back);
  }
}
