"use strict";
/* The quiz: one gradient (or local derivative) is blanked, the answer is checked by its numbers, and
   a wrong one is told what it forgot. The wrong answers were computed beside the right one. */

/** Numbers and shape of what was typed: "1 2; 3 4", "[[1, 2], [3, 4]]", "1/4"; null if unreadable. */
function parseAnswer(text) {
  const plain = text.replace(/−/g, "-").trim();
  const flat = plain.replace(/\]\s*,?\s*\[/g, ";").replace(/[[\]()]/g, " ").trim();
  if (!flat) return null;
  const rows = flat.split(/[;\n]+/).map((row) => row.trim()).filter(Boolean)
    .map((row) => row.split(/[\s,]+/).map(parseNumber));
  const numbers = rows.flat();
  if (!numbers.length || numbers.some((x) => !Number.isFinite(x))) return null;
  if (rows.some((row) => row.length !== rows[0].length)) return null;
  return { numbers, rows: rows.length, columns: rows[0].length };
}

function parseNumber(text) {
  const [over, under, more] = text.split("/");
  if (more !== undefined || over === "" || under === "") return NaN;
  return under === undefined ? Number(over) : Number(over) / Number(under);
}

/** Rows and columns in which a shape is written. */
function asMatrix(shape) {
  const columns = shape.length ? shape[shape.length - 1] : 1;
  return [shape.slice(0, -1).reduce((a, b) => a * b, 1), columns];
}

/** Which elements agree to the digits that the picture shows; null if the shape differs. */
function agreement(given, { shape, numbers }) {
  const [rows, columns] = asMatrix(shape);
  if (given.rows !== rows || given.columns !== columns) return null;
  const top = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return numbers.map((b, k) => Math.abs(given.numbers[k] - b) <= 0.006 * Math.abs(b) + 1e-4 * top);
}

/** What to say to an answer, and whether it is right. */
function judge(text, question) {
  const given = parseAnswer(text);
  if (!given) return { right: false, says: "Type numbers, rows apart by semicolons: 1 2; 3 4" };
  const right = agreement(given, question);
  if (right?.every(Boolean)) return { right: true, says: "Right." };
  const mistake = question.mistakes.find((one) => agreement(given, one)?.every(Boolean));
  if (mistake) return { right: false, forgot: mistake.forgot, says: mistake.says };
  if (!right) {
    const [rows, columns] = asMatrix(question.shape);
    const size = `${rows} row${rows > 1 ? "s" : ""} of ${columns}`;
    return { right: false, forgot: "shape", says: `The shape differs: ${size} wanted.` };
  }
  const good = right.filter(Boolean).length;
  return { right: false, says: good ? `${good} of ${right.length} elements are right.` : "Not yet." };
}

class Quiz {
  constructor(panel, data, { ask, toggled }) {
    this.panel = panel;
    this.data = data;
    this.ask = ask;
    this.toggled = toggled;
    this.at = -1;
    this.right = new Set();
    const part = (name) => panel.querySelector(`[data-${name}]`);
    [this.text, this.input, this.verdict, this.score] = ["text", "answer", "verdict", "score"].map(part);
    panel.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.check();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.check();
      }
    });
    part("solve").addEventListener("click", () => this.solve());
    part("next").addEventListener("click", () => this.start(this.at + 1));
    part("close").addEventListener("click", () => this.close());
  }

  get open() {
    return !this.panel.hidden;
  }

  get question() {
    return this.open ? this.data.questions[this.at] : null;
  }

  start(at = Math.max(0, this.at)) {
    this.at = at % this.data.questions.length;
    if (!this.open) {
      this.panel.hidden = false;
      this.toggled(true);
    }
    const question = this.data.questions[this.at];
    say(this.text, question.text);
    this.input.value = "";
    this.tell("", "");
    this.count();
    this.ask(question);
    this.input.focus();
  }

  check() {
    const verdict = judge(this.input.value, this.question);
    if (verdict.right) {
      this.right.add(this.at);
      this.ask(null);
    }
    this.tell(verdict.says, verdict.right ? "right" : "wrong");
    this.count();
  }

  solve() {
    const { numbers, shape } = this.question;
    const columns = asMatrix(shape)[1];
    const rows = [];
    for (let k = 0; k < numbers.length; k += columns) {
      rows.push(numbers.slice(k, k + columns).map((x) => String(Number(x.toPrecision(3)))).join(" "));
    }
    this.input.value = rows.join("; ").replace(/-/g, "−");
    this.tell("That is the answer.", "");
    this.ask(null);
  }

  tell(text, kind) {
    this.verdict.textContent = text;
    this.verdict.dataset.kind = kind;
  }

  count() {
    this.score.textContent = `Question ${this.at + 1} of ${this.data.questions.length} · ${this.right.size} right`;
  }

  close() {
    this.panel.hidden = true;
    this.ask(null);
    this.toggled(false);
  }
}
