"use strict";
/* Light and dark: as the reader's system says, until the button says otherwise. */

class Theme {
  constructor(button, root, picture) {
    this.system = matchMedia("(prefers-color-scheme: dark)");
    this.chosen = root.dataset.theme === "auto" ? null : root.dataset.theme;
    this.parts = [root, picture];
    this.button = button;
    this.system.addEventListener("change", () => this.apply());
    button.addEventListener("click", () => {
      this.chosen = this.now === "dark" ? "light" : "dark";
      this.apply();
    });
    this.apply();
  }

  get now() {
    return this.chosen || (this.system.matches ? "dark" : "light");
  }

  apply() {
    for (const part of this.parts) part.dataset.theme = this.now;
    this.button.setAttribute("aria-pressed", String(this.now === "dark"));
  }
}
