"use strict";
// Figures of which one set is shown at a time: a button for each set.
(() => {
  for (const choice of document.querySelectorAll("[data-choice]")) {
    const options = [...choice.children];
    const buttons = options.map((option) => subflow.element("button", { type: "button", class: "button", onclick: () => show(option) }, option.dataset.option));
    const show = (chosen) => {
      options.forEach((option, at) => {
        option.hidden = option !== chosen;
        buttons[at].setAttribute("aria-pressed", String(option === chosen));
      });
      subflow.redrawIn(chosen);
    };
    choice.classList.add("live");
    choice.prepend(subflow.element("div", { class: "options", role: "group", "aria-label": choice.dataset.choice }, subflow.element("span", {}, choice.dataset.choice), buttons));
    show(options[0]);
  }
})();
