"use strict";
/* Search over names, operations and layers; matches are marked, and one after the other is shown. */

class Search {
  constructor(form, data, { reveal, mark }) {
    this.input = form.querySelector("input");
    this.count = form.querySelector("output");
    this.reveal = reveal;
    this.mark = mark;
    this.matches = [];
    this.at = -1;
    this.entries = data.atoms.map((atom, a) => ({
      atom: a,
      text: [atom.title, atom.about, ...(atom.facts || []).map(([, text]) => text)].join(" ").toLowerCase(),
    }));
    data.groups.forEach((group, g) => {
      const atom = data.atoms.findIndex((one) => insideGroup(data, one.group, g));
      this.entries.push({ atom, group: g, text: group.title.toLowerCase() });
    });
    this.input.addEventListener("input", () => this.find());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.step(event.shiftKey ? -1 : 1);
      } else if (event.key === "Escape") {
        this.input.value = "";
        this.find();
        this.input.blur();
      }
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-next]").addEventListener("click", () => this.step(1));
    form.querySelector("[data-back]").addEventListener("click", () => this.step(-1));
  }

  find() {
    const words = this.input.value.trim().toLowerCase();
    this.matches = words ? this.entries.filter(({ text }) => text.includes(words)) : [];
    this.at = -1;
    this.count.textContent = !words ? "" : this.matches.length ? `${this.matches.length} found` : "nothing";
    this.mark(this.matches, null);
  }

  step(by) {
    if (!this.matches.length) return;
    const from = this.at < 0 && by < 0 ? 0 : this.at;
    this.at = (from + by + this.matches.length) % this.matches.length;
    this.count.textContent = `${this.at + 1} of ${this.matches.length}`;
    const match = this.matches[this.at];
    this.reveal(match);
    this.mark(this.matches, match);
  }
}

function insideGroup(data, group, wanted) {
  for (let g = group; g >= 0; g = data.groups[g].parent) if (g === wanted) return true;
  return false;
}
