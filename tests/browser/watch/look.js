// What somebody with low sight, a keyboard or a narrow screen meets on a page, by WCAG 2.1. Each function returns faults as texts.

(() => {
  // By the canvas: a computed colour may be of any colour space.
  const pixel = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const colour = (text) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = text;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([red, green, blue, alpha], below) => [red, green, blue].map((part, index) => part * alpha + below[index] * (1 - alpha));
  const luminance = (rgb) => rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const paper = () => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'Canvas';
    const found = colour(getComputedStyle(probe).color);
    probe.remove();
    return found.slice(0, 3);
  };

  /** The colours that may lie below an element: one, and behind a picture the brightest and the darkest. */
  const grounds = (element) => {
    const chain = [];
    for (let each = element; each; each = each.parentElement) chain.unshift(each);
    return chain.reduce((below, each) => {
      const isOnPicture = each.parentElement?.id === 'picture';
      const start = isOnPicture ? [[0, 0, 0], [255, 255, 255]] : below;
      return start.map((rgb) => over(colour(getComputedStyle(each).backgroundColor), rgb));
    }, [paper()]);
  };
  const opacity = (element) => {
    let product = 1;
    for (let each = element; each; each = each.parentElement) product *= Number(getComputedStyle(each).opacity);
    return product;
  };
  const least = (text, element, of = element) => Math.min(...grounds(of).map((ground) => {
    const [red, green, blue, alpha] = colour(text);
    return contrast(over([red, green, blue, alpha * opacity(element)], ground), ground);
  }));
  const named = (element) => `${element.tagName.toLowerCase()}#${element.id} ${element.textContent.trim().slice(0, 30)}`;
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.unseen')
    && element.getBoundingClientRect().width > 0 && !element.matches(':disabled');
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);
  const fault = (what, element, ratio) => `${what} ${ratio.toFixed(2)}: ${named(element)}`;

  const textFaults = () => all('body *').flatMap((element) => {
    const isText = [...element.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
    if (!isText || /^(SCRIPT|STYLE|OPTION|NOSCRIPT)$/.test(element.tagName)) return [];
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = least(style.color, element);
    return ratio < (isLarge ? 3 : 4.5) ? [fault('text', element, ratio)] : [];
  });

  // Of a control its edge or its fill is seen; a button without either is known by its text.
  const controlFaults = () => all('input, select, button, textarea, progress, meter').flatMap((element) => {
    const style = getComputedStyle(element);
    const isNative = /^(checkbox|radio)$/.test(element.type);
    if (isNative) return [];
    if (element.type === 'range' || element.tagName === 'PROGRESS') {
      const ratio = least(style.accentColor === 'auto' ? 'AccentColor' : style.accentColor, element);
      return ratio < 3 ? [fault('accent', element, ratio)] : [];
    }
    if (element.tagName === 'METER') return [];
    const sides = ['Top', 'Right', 'Bottom', 'Left'].filter((side) => parseFloat(style[`border${side}Width`]) > 0);
    if (element.tagName === 'BUTTON' && sides.length < 4) return [];
    const edge = sides.length === 4 ? least(style.borderTopColor, element, element.parentElement) : 0;
    const fill = least(style.backgroundColor, element, element.parentElement);
    return Math.max(edge, fill) < 3 ? [fault('edge', element, Math.max(edge, fill))] : [];
  });

  const labelFaults = () => all('button, input, select, textarea, a[href], video[controls], audio[controls]').filter((element) => {
    const label = element.getAttribute('aria-label') || [...(element.labels || [])].map((each) => each.textContent).join('');
    const named_ = element.textContent.trim() || element.querySelector('img')?.alt || element.getAttribute('title');
    const isField = /^(INPUT|SELECT|TEXTAREA|AUDIO|VIDEO)$/.test(element.tagName);
    return !label.trim() && (isField || !named_);
  }).map((element) => `no label: ${named(element)}`);

  /** Of the element that has the focus. */
  const focusFaults = () => {
    const element = document.activeElement;
    // A player of the browser shows the focus on its own buttons.
    if (!element || element === document.body || element.controls) return [];
    const style = getComputedStyle(element);
    if (style.outlineStyle === 'auto') return [];
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return [`no outline: ${named(element)}`];
    // On a picture a ring of two colours is seen.
    const [shadow] = /rgba?\([^)]*\)/.exec(style.boxShadow) || [];
    const ratio = shadow ? contrast(colour(style.outlineColor), colour(shadow)) : least(style.outlineColor, element, element.parentElement);
    return ratio < 3 ? [fault('outline', element, ratio)] : [];
  };

  const widthFaults = () => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const outside = all('body *').filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return left < -1 || right > clientWidth + 1;
    }).map((element) => `outside: ${named(element)}`);
    return scrollWidth > clientWidth ? [`${scrollWidth} wide`, ...outside] : outside;
  };

  const smallFaults = () => all('button, select, input:not([type=checkbox], [type=radio])').filter((element) => (
    element.getBoundingClientRect().height < 24)).map((element) => `small: ${named(element)}`);

  const movingFaults = () => all('*').filter((element) => {
    const { animationName, transitionDuration } = getComputedStyle(element);
    return animationName !== 'none' || parseFloat(transitionDuration) > 0;
  }).map((element) => `moves: ${named(element)}`);

  window.look = { textFaults, controlFaults, labelFaults, focusFaults, widthFaults, smallFaults, movingFaults };
})();
