"use strict";
/* The current view as an SVG file of its own: what is folded, blanked or not yet reached stays so. */

function viewAsSvg(picture, bounds, styles) {
  const copy = picture.cloneNode(true);
  const [width, height] = [bounds.right - bounds.left + 32, bounds.bottom - bounds.top + 32];
  for (const hidden of copy.querySelectorAll(".pending, .reach, .tab")) hidden.remove();
  for (const part of copy.querySelectorAll("[tabindex], [data-key], [data-edge]")) {
    for (const name of ["tabindex", "data-key", "data-edge", "data-way", "aria-expanded"]) {
      part.removeAttribute(name);
    }
    if (part.getAttribute("role") === "button") part.setAttribute("role", "graphics-symbol");
  }
  copy.firstElementChild.setAttribute("transform", `translate(${16 - bounds.left} ${16 - bounds.top})`);
  const style = svg("style");
  style.textContent = styles;
  const ground = svg("rect", { class: "bg", width: shown(width), height: shown(height) });
  copy.prepend(style, ground);
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${shown(width)} ${shown(height)}`, width: shown(width), height: shown(height),
  })) copy.setAttribute(name, value);
  copy.classList.remove("live-only");
  for (const name of ["id", "tabindex", "aria-roledescription"]) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}

function saveFile(text, name, kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
