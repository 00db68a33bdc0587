"use strict";
/* The panel that tells everything about one mark or edge: facts, rules, whole arrays as tables with a
   heat map. It follows the pointer until it is pinned. */

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Details {
  constructor(panel, data) {
    this.panel = panel;
    this.data = data;
    this.body = panel.querySelector("[data-body]");
    this.title = panel.querySelector("h2");
    this.pinned = null;
    this.blank = new Set(); // tables that a quiz keeps to itself
    panel.querySelector("[data-close]").addEventListener("click", () => this.close());
  }

  pin(key) {
    if (!this.show(key)) return;
    this.pinned = key;
    this.panel.classList.add("pinned");
  }

  hover(key) {
    if (!this.pinned) this.show(key);
  }

  leave() {
    if (!this.pinned) this.panel.hidden = true;
  }

  close() {
    const { pinned } = this;
    this.pinned = null;
    this.panel.hidden = true;
    this.panel.classList.remove("pinned");
    return pinned;
  }

  show(key) {
    const parts = this.partsOf(key);
    if (!parts) return false;
    this.title.textContent = parts.title;
    this.body.replaceChildren(...parts.body.filter(Boolean));
    this.panel.hidden = false;
    return true;
  }

  partsOf(key) {
    if (key.edge) return this.ofEdge(key.edge);
    const at = Number(key.slice(1));
    if (key[0] === "a") return this.ofAtom(this.data.atoms[at]);
    if (key[0] === "g") return this.ofGroup(this.data.groups[at]);
    return this.ofValue(this.data.values[at]);
  }

  ofAtom(atom) {
    const kinds = { op: "Operation", fold: "Layer", output: "Output", input: "Input",
      parameter: "Parameter", constant: "Constant" };
    return {
      title: `${kinds[atom.kind] || ""} ${atom.title}`,
      body: [
        facts(atom.facts || []),
        atom.source?.length ? source(atom.source) : null,
        atom.doc ? element("p", { text: atom.doc, class: "doc" }) : null,
        this.table("Value", atom.value, "v"),
        this.table("Gradient", atom.gradient, "g"),
        rules(atom.rules || []),
      ],
    };
  }

  ofGroup(group) {
    return {
      title: `Layer ${group.title}`,
      body: [
        facts([["operations", group.operations.toLocaleString("en")]]),
        said("Forward", group.forward),
        said("Backward", group.backward),
      ],
    };
  }

  ofValue(value) {
    const { gradient, value: held } = this.data.atoms[value.atom];
    return {
      title: `Value ${value.name}`,
      body: [
        facts([["used", `${value.endings.length} times`]]),
        this.table("Value", held, "v"),
        this.table("Sum of the gradients", gradient, "g"),
      ],
    };
  }

  ofEdge(edge) {
    const value = this.data.values[edge.value];
    const { label } = edge;
    return {
      title: `Edge ${value.name}`,
      body: [
        this.table("Value", this.data.atoms[value.atom].value, "v"),
        this.table("Gradient over this edge", label.gradient, "g"),
        label.rule ? rules([[value.name, label.rule.replace(/^= /, "")]]) : null,
      ],
    };
  }

  table(name, number, kind) {
    const array = this.data.arrays[number];
    if (!array) return null;
    if (this.blank.has(number)) {
      return element("section", {}, element("h3", { text: name }),
        element("p", { text: "asked for in the quiz", class: "doc" }));
    }
    return tableOf(name, array, kind);
  }
}

function facts(list) {
  return element("dl", {}, ...list.flatMap(([name, text]) => [
    element("dt", { text: name }), element("dd", { text }),
  ]));
}

function source([place, line]) {
  const code = line ? [element("code", { text: line })] : [];
  return element("section", { class: "source" }, element("h3", { text: place }), ...code);
}

function rules(list) {
  if (!list.length) return null;
  const rows = list.flatMap(([name, rule]) => [
    element("dt", { text: `to ${name}` }), element("dd", { text: rule, class: "say-r" }),
  ]);
  return element("section", {}, element("h3", { text: "Local rules" }), element("dl", {}, ...rows));
}

function said(name, sentence) {
  const text = element("p", { class: "said" });
  say(text, sentence);
  return element("section", {}, element("h3", { text: name }), text);
}

const numeric = (text) => Number(text.replace(/−/g, "-").replace("inf", "Infinity"));

function tableOf(name, array, kind) {
  const rows = array.rows.map((row) => row.split(" "));
  const sizes = rows.flat().map(numeric).filter(Number.isFinite).map(Math.abs);
  const top = sizes.reduce((a, b) => Math.max(a, b), 0) || 1;
  const body = rows.map((row, r) => element("tr", {},
    element("th", { scope: "row", text: String(r) }),
    ...row.map((text) => {
      const cell = element("td", { text });
      const share = Math.min(1, Math.abs(numeric(text)) / top);
      if (Number.isFinite(share)) {
        cell.dataset.sign = text.startsWith("−") ? "minus" : "plus";
        cell.style.setProperty("--share", `${Math.round(share * 34)}%`);
      }
      return cell;
    })));
  const head = element("tr", {}, element("td"),
    ...rows[0].map((_, c) => element("th", { scope: "col", text: String(c) })));
  const [height, width] = array.of;
  const cut = rows.length < height || rows[0].length < width
    ? element("p", { class: "doc", text: `the first ${rows.length} × ${rows[0].length} of ${height} × ${width} elements` })
    : null;
  return element("section", { class: `array say-${kind}` },
    element("h3", { text: `${name} ${array.shape}` }),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))),
    ...[cut].filter(Boolean));
}
