// Runs before the page is drawn, so that a dark wall does not flash white. Light, dark, or as the system has it.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => localStorage.getItem("cellrig-theme") || "";
  const apply = () => {
    document.documentElement.dataset.theme = kept() || (system.matches ? "dark" : "light");
    dispatchEvent(new Event("theme"));
  };
  system.addEventListener("change", apply);
  globalThis.switchTheme = () => {
    localStorage.setItem("cellrig-theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  };
  apply();
})();
