/**
 * Stands in for at.js, which is proprietary. It does what Adobe's pages say of `serverState`, and records what it saw in
 * the element `#recorded`: it shows the offers of the page load and keeps those of views without a call, gives each
 * script and style of an offer the nonce of its kind, and asks `/delivery` itself when there is no page load.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/client-side/at-js-implementation/functions-overview/targetglobalsettings
 */
export const AT_JS_STAND_IN = `(function () {
  var settings = window.targetGlobalSettings || {};
  var recorded = { settings: JSON.parse(JSON.stringify(settings)), violations: [], calls: [], shown: [] };
  recorded.visitorState = window.visitorState;
  recorded.pageParams = window.targetPageParams && window.targetPageParams();
  document.addEventListener('securitypolicyviolation', function (event) {
    recorded.violations.push(event.violatedDirective);
  });

  function copyOf(element) {
    var copy = document.createElement(element.tagName);
    copy.nonce = element.tagName === 'SCRIPT' ? settings.cspScriptNonce : settings.cspStyleNonce;
    copy.textContent = element.textContent;
    return copy;
  }

  function show(action) {
    var target = document.querySelector(action.selector);
    var template = document.createElement('template');
    template.innerHTML = action.content;
    target.replaceChildren();
    Array.from(template.content.children).forEach(function (element) {
      var isCode = element.tagName === 'SCRIPT' || element.tagName === 'STYLE';
      target.appendChild(isCode ? copyOf(element) : document.importNode(element, true));
    });
    recorded.shown.push(action.selector);
  }

  document.addEventListener('DOMContentLoaded', async function () {
    var state = settings.serverState || { request: {}, response: {} };
    if (state.request.execute && state.request.execute.pageLoad) {
      state.response.execute.pageLoad.options.forEach(function (option) { option.content.forEach(show); });
    } else {
      await fetch('/delivery', { method: 'POST', body: JSON.stringify(recorded.pageParams || {}) });
      recorded.calls.push('/delivery');
    }
    // Violations are told in tasks of their own.
    setTimeout(function () {
      recorded.color = getComputedStyle(document.querySelector('h1')).color;
      document.getElementById('recorded').textContent = JSON.stringify(recorded);
      document.body.dataset.state = 'done';
    });
  });
})();
`;
