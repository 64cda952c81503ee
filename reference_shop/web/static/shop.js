/* The shop's script. Every page works without it; it adds what differs between shoppers and what a form cannot say by itself. */
(() => {
  "use strict";

  const RECENT_PRODUCTS = "lonjak-dilihat";
  const RECENT_SEARCHES = "lonjak-pencarian";
  const RECENT_LIMIT = 6;

  /* Lists kept in this browser only. A full or forbidden store is an empty list. */
  const recall = (name) => {
    try {
      const kept = JSON.parse(localStorage.getItem(name) || "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  };
  const keep = (name, list) => {
    try {
      localStorage.setItem(name, JSON.stringify(list.slice(0, RECENT_LIMIT)));
    } catch {
      /* Private windows may refuse; nothing of value is lost. */
    }
  };

  /* The header: cart badge and login state are not part of the page, so that a shared cache may hold it. */
  const fillHeader = async () => {
    const place = document.querySelector("[data-fragment]");
    if (!place) return;
    try {
      const answer = await fetch(place.dataset.fragment, { credentials: "same-origin", headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
      if (part && part.dataset.pageKind === "fragment") place.replaceChildren(...part.childNodes);
    } catch {
      /* The links that stand there already lead to the right pages. */
    }
  };

  /* Only one panel of the menu is open, and it closes when the shopper looks elsewhere. */
  const watchMenu = () => {
    const panels = [...document.querySelectorAll(".menu details")];
    const closeAll = (except) => {
      for (const panel of panels) if (panel !== except) panel.open = false;
    };
    for (const panel of panels) panel.addEventListener("toggle", () => panel.open && closeAll(panel));
    document.addEventListener("click", (event) => {
      if (!event.target.closest(".menu details")) closeAll(null);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      const open = panels.find((panel) => panel.open);
      closeAll(null);
      if (open) open.querySelector("summary").focus();
    });
  };

  /* Plus and minus beside a quantity: large targets for thumbs. */
  const addSteppers = () => {
    for (const stepper of document.querySelectorAll(".stepper")) {
      const input = stepper.querySelector("input[type=number]");
      const button = (text, label, step) => {
        const element = document.createElement("button");
        element.type = "button";
        element.className = "stepper__button";
        element.textContent = text;
        element.setAttribute("aria-label", label);
        element.addEventListener("click", () => {
          if (step > 0) input.stepUp();
          else input.stepDown();
          input.dispatchEvent(new Event("change", { bubbles: true }));
        });
        return element;
      };
      stepper.prepend(button("−", "Kurangi jumlah", -1));
      stepper.append(button("+", "Tambah jumlah", 1));
    }
  };

  /* Says in Indonesian, beside the field, what the browser's own bubble would say elsewhere. */
  const sentenceFor = (input) => {
    const state = input.validity;
    if (state.valid) return "";
    if (state.valueMissing) return "Isian ini harus diisi.";
    if (state.tooShort) return `Paling sedikit ${input.minLength} huruf.`;
    if (state.tooLong) return `Paling banyak ${input.maxLength} huruf.`;
    if (state.typeMismatch && input.type === "email") return "Tulis alamat email yang benar.";
    if (state.rangeUnderflow || state.rangeOverflow) return `Pilih angka dari ${input.min} sampai ${input.max}.`;
    if (input.name === "phone") return "Nomor telepon harus diawali 0 atau +62.";
    if (input.name === "postcode") return "Kode pos terdiri dari 5 angka.";
    return "Isian ini belum benar.";
  };
  const showProblem = (input) => {
    const sentence = sentenceFor(input);
    const problem = document.getElementById(`${input.id}-salah`);
    const field = input.closest(".field");
    if (problem) problem.textContent = sentence;
    if (field) field.classList.toggle("field--wrong", sentence !== "");
    if (sentence) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", `${input.id}-salah`);
    } else {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
    return sentence === "";
  };
  const watchForms = () => {
    for (const form of document.querySelectorAll("form[data-validate]")) {
      const inputs = [...form.querySelectorAll("input:not([type=hidden])")];
      for (const input of inputs) input.addEventListener("blur", () => input.value && showProblem(input));
      form.addEventListener("submit", (event) => {
        const wrong = inputs.filter((input) => !showProblem(input));
        if (wrong.length === 0) return;
        event.preventDefault();
        wrong[0].focus();
      });
    }
  };

  /* A second click on "pay" would be harmless, its key is the same; but it worries people. */
  const guardPayment = () => {
    for (const form of document.querySelectorAll("form[data-once]")) {
      const button = form.querySelector("button[type=submit]");
      form.addEventListener("submit", () => {
        button.disabled = true;
        button.textContent = "Memproses pembayaran…";
      });
      /* Coming back with the browser's back button must not show a dead form. */
      window.addEventListener("pageshow", (event) => event.persisted && location.reload());
    }
  };

  /* The large picture, in a dialog that Escape closes. */
  const watchZoom = () => {
    for (const link of document.querySelectorAll("a[data-zoom]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement) return;
        event.preventDefault();
        const dialog = document.createElement("dialog");
        dialog.className = "zoom";
        const picture = link.querySelector("img").cloneNode();
        const close = document.createElement("button");
        close.type = "button";
        close.className = "button button--light zoom__close";
        close.textContent = "Tutup";
        close.addEventListener("click", () => dialog.close());
        dialog.addEventListener("click", (click) => click.target === dialog && dialog.close());
        dialog.addEventListener("close", () => {
          dialog.remove();
          link.focus();
        });
        dialog.append(picture, close);
        document.body.append(dialog);
        dialog.showModal();
      });
    }
  };

  /* What this browser looked at last. Kept here, not in the shop: pages stay the same for everyone. */
  const rememberProduct = () => {
    const product = document.querySelector("[data-remember]");
    if (!product) return;
    const seen = { id: Number(product.dataset.remember), name: product.dataset.name };
    keep(RECENT_PRODUCTS, [seen, ...recall(RECENT_PRODUCTS).filter((other) => other.id !== seen.id)]);
  };
  const showRecentProducts = () => {
    const section = document.querySelector("[data-recent]");
    const seen = recall(RECENT_PRODUCTS).filter((product) => Number.isInteger(product.id) && product.id > 0);
    if (!section || seen.length === 0) return;
    const list = section.querySelector("ul");
    for (const product of seen) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.className = "product-card";
      link.href = `/product/${product.id}`;
      const picture = new Image(320, 320);
      picture.loading = "lazy";
      picture.alt = "";
      picture.src = `/images/products/${product.id}-thumb.jpg`;
      const body = document.createElement("span");
      body.className = "product-card__body product-card__name";
      body.textContent = String(product.name);
      link.append(picture, body);
      item.append(link);
      list.append(item);
    }
    section.hidden = false;
  };

  /* Searches made in this browser, offered again. */
  const rememberSearches = () => {
    const query = document.body.dataset.query;
    let searches = recall(RECENT_SEARCHES).filter((entry) => typeof entry === "string");
    if (query && Number(document.body.dataset.resultCount) > 0) {
      searches = [query, ...searches.filter((other) => other.toLowerCase() !== query.toLowerCase())];
      keep(RECENT_SEARCHES, searches);
    }
    const list = document.getElementById("pencarian-terakhir");
    if (!list) return;
    for (const search of searches.slice(0, RECENT_LIMIT)) {
      const option = document.createElement("option");
      option.value = search;
      list.append(option);
    }
  };

  fillHeader();
  watchMenu();
  addSteppers();
  watchForms();
  guardPayment();
  watchZoom();
  rememberProduct();
  showRecentProducts();
  rememberSearches();
})();
