// Behaviour of the console's own pages. No page carries script of its own; data-… attributes say what an element does.
"use strict";

(function () {
  // Polled regions: hidden tabs do not ask; two failures in a row say since when the region is stale.
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.elt.matches("[data-live]") && document.hidden) event.preventDefault();
  });
  function failed(event) {
    const region = event.detail.elt;
    if (!region.matches || !region.matches("[data-live]")) return;
    region.dataset.failures = String(Number(region.dataset.failures || 0) + 1);
    if (Number(region.dataset.failures) < 2) return;
    region.classList.add("c-live--stale");
    const note = region.querySelector(".c-live__stale");
    if (note) note.textContent = "as of " + (region.dataset.asOf || "earlier") + ", retrying";
  }
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:afterRequest", function (event) {
    const region = event.detail.elt;
    if (event.detail.successful && region.matches && region.matches("[data-live]")) {
      region.dataset.failures = "0";
      region.classList.remove("c-live--stale");
    }
  });

  // Copy a text; when the browser refuses, select it instead.
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const say = function (text) { button.querySelector("[data-copy-says]").textContent = text; };
    const select = function () {
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      const fold = source.closest("details");
      if (fold) fold.open = true;
      say("Selected: press Ctrl C");
    };
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(source.textContent).then(function () { say("Copied"); }, select);
    } else {
      select();
    }
  });

  // A filter that is changed sends its form.
  document.addEventListener("change", function (event) {
    const field = event.target.closest("[data-submit-on-change]");
    if (field && field.form) field.form.requestSubmit();
  });

  // The theme writes the name of a chosen file into a text field beside it, which our forms have no need of.
  document.addEventListener("change", function (event) {
    if (event.target.matches(".c-field input[type=file]")) event.stopPropagation();
  }, true);

  // A form is sent once: the second click of a double click does nothing.
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(function () { delete form.dataset.sent; }, 5000);
  });

  // Keys: g then h/r/l/d, / to search, j/k to move, w for "why". None of them writes.
  const places = { h: "home", r: "runs", l: "levels", e: "ledger", s: "stores" };
  let waiting = false;
  function rows() { return Array.from(document.querySelectorAll("[data-row] a[href]:first-of-type, a[data-row]")); }
  document.addEventListener("keydown", function (event) {
    const tag = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(tag) || event.target.isContentEditable) return;
    if (waiting && places[event.key]) {
      const link = document.querySelector('[data-place="' + places[event.key] + '"]');
      waiting = false;
      if (link) window.location.href = link.getAttribute("href");
      return;
    }
    waiting = event.key === "g";
    if (waiting) window.setTimeout(function () { waiting = false; }, 1500);
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
    if (event.key === "j" || event.key === "k") {
      const all = rows();
      if (!all.length) return;
      const at = all.indexOf(document.activeElement);
      const next = event.key === "j" ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0);
      all[next].focus();
    }
  });
})();

// Tag filter: how many variants it lets through, before it is saved.
(function () {
  function count() {
    const note = document.querySelector("[data-scope-count]");
    if (!note) return;
    const asked = new URLSearchParams();
    ["tags_any", "tags_all", "tags_none"].forEach(function (name) {
      const field = document.getElementById("id_" + name);
      if (field) asked.set(name, field.value);
    });
    const store = note.dataset.store;
    if (store) asked.set("store", store);
    fetch(note.dataset.scopeCount + "?" + asked, { headers: { Accept: "text/plain" } })
      .then(function (reply) { return reply.ok ? reply.text() : ""; })
      .then(function (text) { note.textContent = text; })
      .catch(function () { note.textContent = ""; });
  }
  let soon = 0;
  document.addEventListener("input", function (event) {
    if (!event.target.matches("[data-scope]")) return;
    window.clearTimeout(soon);
    soon = window.setTimeout(count, 300);
  });
  document.addEventListener("DOMContentLoaded", count);
})();
