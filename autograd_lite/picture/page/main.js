"use strict";
/* Puts the parts together: data, fold state, canvas, walk, panels, keys, the address's #step=…&open=…. */

class Page {
  constructor(layout) {
    const at = (name) => document.querySelector(`[data-${name}]`);
    this.data = JSON.parse(document.getElementById("graph").textContent);
    this.layout = layout;
    this.graph = new Graph(this.data);
    this.root = document.getElementById("picture");
    const drawn = document.getElementById("fragments").content.firstElementChild.children;
    this.canvas = new Canvas(this.root, drawn, this.data);
    this.viewport = new Viewport(this.root, this.canvas.layer);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.status = at("status");
    this.details = new Details(at("details"), this.data);
    const names = ["slider", "first", "back", "next", "end", "play", "speed", "sentence", "count", "stage"];
    const steps = document.getElementById("steps");
    const controls = names.map((name) => [name, steps.querySelector(`[data-${name}]`)]);
    this.walk = new Walk(this.data, Object.fromEntries(controls), () => this.stepped());
    this.theme = new Theme(at("theme-button"), document.documentElement, this.root);
    this.search = new Search(at("search"), this.data, {
      reveal: (match) => this.reveal(match),
      mark: (matches, current) => this.markMatches(matches, current),
    });
    this.quiz = new Quiz(at("quiz"), this.data, {
      ask: (question) => this.ask(question),
      toggled: (open) => this.quizToggled(open),
    });
    this.first = [...this.graph.open].join();
    this.wire(at);
    this.readAddress();
    document.documentElement.classList.add("live");
    this.redraw();
    this.viewport.fit();
    this.paint();
  }

  wire(at) {
    const press = (name, action) => at(name)?.addEventListener("click", action);
    press("expand", () => this.refold(() => this.graph.openAll()));
    press("collapse", () => this.refold(() => this.graph.foldAll()));
    press("larger", () => this.viewport.zoom(1.25));
    press("smaller", () => this.viewport.zoom(0.8));
    press("whole", () => this.viewport.fit(0));
    press("save", () => saveFile(this.svg(), "graph.svg", "image/svg+xml"));
    press("ask", () => (this.quiz.open ? this.quiz.close() : this.startQuiz()));
    press("help", () => at("keys").showModal());
    at("ask").hidden = !this.data.questions.length;
    at("expand").hidden = at("collapse").hidden = !this.data.groups.length;
    at("save").hidden = window.origin === "null" && window.top !== window; // a sandbox saves nothing
    this.root.addEventListener("click", (event) => this.clicked(event));
    this.root.addEventListener("pointerover", (event) => this.pointed(event));
    this.root.addEventListener("pointerleave", () => this.details.leave());
    this.root.addEventListener("focusin", (event) => this.focused(event));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => {
      this.readAddress();
      this.redraw();
      this.paint();
    });
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  // drawing

  redraw() {
    const view = this.graph.view();
    const captions = view.frames.map((g) => ({
      parent: this.data.groups[g].parent, width: this.data.groups[g].caption,
    }));
    const plan = planOf(view, this.data.direction, captions);
    this.homes = view.homes;
    this.canvas.render(view, plan, this.layout.place(plan));
    this.viewport.bounds = this.canvas.bounds;
    this.walk.setView(view.homes);
    this.walk.refresh();
  }

  paint() {
    paint(this.canvas, this.data, this.homes, this.walk.step, this.walk.here);
    this.blank(this.quiz.question);
    this.search.find();
  }

  stepped() {
    this.paint();
    const { home } = this.walk.here;
    if (home) this.viewport.show(this.canvas.centers.get(home), !this.calm.matches);
    this.writeAddress();
  }

  /** Fold or unfold; what was pressed stays where it is on the screen. */
  toggle(group) {
    const before = this.placeOf(group);
    if (!this.graph.toggle(group)) {
      this.tell(`${this.data.groups[group].title} cannot be folded: a value leaves it and comes back.`);
      return;
    }
    this.redraw();
    const after = this.placeOf(group);
    if (before && after) {
      const scale = this.viewport.scale;
      this.viewport.pan((before[0] - after[0]) * scale, (before[1] - after[1]) * scale);
    }
    this.paint();
    this.writeAddress();
    const { title } = this.data.groups[group];
    const open = this.graph.open.has(group);
    this.tell(`${title} ${open ? "unfolded" : "folded"}`);
    (this.canvas.marks.get(`frame${group}`) || this.canvas.marks.get(`g${group}`))?.focus();
  }

  placeOf(group) {
    const mark = this.canvas.centers.get(`g${group}`);
    if (mark) return mark;
    const frame = this.canvas.marks.get(`frame${group}`)?.querySelector("rect");
    if (!frame) return null;
    const [x, y, width, height] = ["x", "y", "width", "height"].map((n) => Number(frame.getAttribute(n)));
    return [x + width / 2, y + height / 2];
  }

  refold(change) {
    change();
    this.redraw();
    this.viewport.fit();
    this.paint();
    this.writeAddress();
    this.tell(`${this.canvas.marks.size} marks shown`);
  }

  tell(text) {
    this.status.textContent = text;
  }

  // pointing

  keyOf(target) {
    const edge = target.closest?.("[data-edge]");
    if (edge) return { edge: this.canvas.edges[Number(edge.dataset.edge)].edge };
    return target.closest?.("[data-key]")?.dataset.key ?? null;
  }

  clicked(event) {
    if (this.viewport.moved > 4) return;
    const handle = event.target.closest(".fold-handle");
    const key = this.keyOf(event.target);
    if (handle && !(handle.classList.contains("layer") && event.target.classList.contains("frame"))) {
      this.toggle(Number(handle.dataset.key.slice(1)));
    } else if (key && !handle) {
      this.details.pin(key);
    } else {
      this.details.close();
    }
  }

  pointed(event) {
    if (event.pointerType !== "mouse" || this.viewport.pointers.size) return;
    const key = this.keyOf(event.target);
    if (key && !event.target.classList.contains("frame")) this.details.hover(key);
    else this.details.leave();
  }

  focused(event) {
    const key = event.target.closest?.("[data-key]")?.dataset.key;
    const center = key && this.canvas.centers.get(key);
    if (center && event.target.matches(":focus-visible")) this.viewport.show(center);
  }

  reveal({ atom, group }) {
    if (group === undefined ? this.graph.reveal(atom) : this.revealGroup(group)) {
      this.redraw();
      this.writeAddress();
      paint(this.canvas, this.data, this.homes, this.walk.step, this.walk.here);
    }
    const center = this.canvas.centers.get(this.homes[atom]);
    if (center) this.viewport.show(center, !this.calm.matches);
  }

  revealGroup(group) {
    const around = this.graph.pathOf(group).slice(0, -1).filter((g) => !this.graph.open.has(g));
    around.forEach((g) => this.graph.open.add(g));
    return around.length > 0;
  }

  markMatches(matches, current) {
    const keyOf = ({ atom, group }) =>
      group !== undefined && this.canvas.marks.has(`frame${group}`) ? `frame${group}`
        : group !== undefined && this.canvas.marks.has(`g${group}`) ? `g${group}` : this.homes[atom];
    const keys = new Set(matches.map(keyOf));
    const now = current && keyOf(current);
    for (const [key, element] of this.canvas.marks) {
      element.classList.toggle("match", keys.has(key));
      element.classList.toggle("match-now", key === now);
    }
    const inside = [...keys].some((key) => !key.startsWith("frame"));
    this.root.classList.toggle("searching", inside);
  }

  // quiz

  startQuiz() {
    this.walk.stop();
    this.details.close();
    this.walk.go(this.walk.last);
    this.quiz.start();
  }

  /** The steps would tell the answers: they go while questions are asked. */
  quizToggled(open) {
    document.getElementById("steps").hidden = open;
    document.querySelector("[data-ask]").setAttribute("aria-pressed", String(open));
    this.viewport.fit();
  }

  ask(question) {
    if (question) {
      const value = this.data.values[question.value];
      const atom = question.ending < 0 ? value.atom : value.endings[question.ending].atom;
      const opened = [this.graph.reveal(value.atom), this.graph.reveal(atom)];
      if (opened.some(Boolean)) {
        this.redraw();
        paint(this.canvas, this.data, this.homes, this.walk.step, this.walk.here);
      }
      this.viewport.show(this.canvas.centers.get(this.homes[atom]), !this.calm.matches);
    }
    this.blank(question);
  }

  /** Hide what a question asks for, wherever it stands. */
  blank(question) {
    this.details.blank.clear();
    const atoms = this.data.atoms;
    for (const { edge, element, beneath } of this.canvas.edges) {
      const trunk = edge.target[0] === "d";
      const asked = question && edge.value === question.value &&
        (question.ending < 0 ? trunk : edge.ending === question.ending);
      element.classList.toggle("asked", Boolean(asked));
      beneath?.classList.toggle("blank", Boolean(asked));
      beneath?.querySelector(".unknown")?.remove();
      if (!asked) continue;
      beneath?.append(questionMark(this.data.direction));
      this.details.blank.add(trunk ? atoms[this.data.values[edge.value].atom].gradient : edge.label.gradient);
      // The same number may stand at the one other end of the value.
      this.details.blank.add(atoms[this.data.values[edge.value].atom].gradient);
    }
  }

  // keys

  key(event) {
    const typing = event.target.closest?.("input, textarea, select, dialog[open]");
    const range = event.target.matches?.("input[type=range]");
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && !range)) return;
    const handle = event.target.closest?.("#picture [data-key]");
    const button = event.target.closest?.("button, summary, a");
    if ((event.key === "Enter" || event.key === " ") && handle) {
      event.preventDefault();
      if (handle.classList.contains("fold-handle")) this.toggle(Number(handle.dataset.key.slice(1)));
      else this.details.pin(handle.dataset.key);
      return;
    }
    if (event.key === " " && button) return;
    const action = this.actions[event.key];
    const steps = ["ArrowRight", "ArrowLeft", "Home", "End", " "].includes(event.key);
    if (!action || (steps && this.quiz.open) || (range && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    action(this);
  }

  actions = {
    ArrowRight: () => this.walk.move(1),
    ArrowLeft: () => this.walk.move(-1),
    Home: () => this.walk.go(0),
    End: () => this.walk.go(this.walk.last),
    " ": () => this.walk.toggle(),
    "+": () => this.viewport.zoom(1.25),
    "=": () => this.viewport.zoom(1.25),
    "-": () => this.viewport.zoom(0.8),
    0: () => this.viewport.fit(0),
    "/": () => this.search.input.focus(),
    e: () => this.refold(() => this.graph.openAll()),
    c: () => this.refold(() => this.graph.foldAll()),
    t: () => this.theme.button.click(),
    q: () => this.data.questions.length && (this.quiz.open ? this.quiz.close() : this.startQuiz()),
    "?": () => document.querySelector("[data-keys]").showModal(),
    Escape: () => {
      const pinned = this.details.close();
      if (pinned && !pinned.edge) this.canvas.marks.get(pinned)?.focus();
      else if (this.quiz.open) this.quiz.close();
    },
  };

  // address, print, file

  readAddress() {
    const told = new URLSearchParams(location.hash.slice(1));
    const open = told.get("open");
    if (open !== null) {
      const groups = open.split(",").filter(Boolean).map(Number);
      this.graph.open = new Set(groups.filter((g) => this.data.groups[g]));
    }
    const step = Number(told.get("step") ?? NaN);
    if (Number.isInteger(step)) this.walk.step = Math.max(0, Math.min(this.walk.last, step));
  }

  writeAddress() {
    const told = [];
    if (this.walk.step !== this.walk.last) told.push(`step=${this.walk.step}`);
    const open = [...this.graph.open].sort((a, b) => a - b).join();
    if (open !== this.first) told.push(`open=${open}`);
    try {
      history.replaceState(null, "", told.length ? `#${told.join("&")}` : location.pathname);
    } catch { /* a sandboxed frame has no address of its own */ }
  }

  print(begins) {
    const { left, top, right, bottom } = this.canvas.bounds;
    if (begins) {
      const box = [left - 8, top - 8, right - left + 16, bottom - top + 16].map(shown).join(" ");
      this.root.setAttribute("viewBox", box);
      this.canvas.layer.removeAttribute("transform");
    } else {
      this.root.removeAttribute("viewBox");
      this.viewport.apply();
    }
  }

  svg() {
    const styles = document.querySelector("style[data-picture]").textContent;
    return viewAsSvg(this.root, this.canvas.bounds, styles);
  }
}

/** What stands where a gradient was. */
function questionMark(direction) {
  const [x, y] = direction === "LR" ? [0, 24] : [24, 5];
  const mark = svg("text", { class: "g unknown", x, y, "text-anchor": "middle" });
  mark.textContent = "?";
  return mark;
}

document.addEventListener("DOMContentLoaded", async () => {
  globalThis.page = new Page(await Layout.load());
});
