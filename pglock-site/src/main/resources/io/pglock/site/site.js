// Search, menus that are closed on a phone, and buttons that copy code. Every page works without it.
(function () {
  'use strict';

  var root = document.body.dataset.root;

  /* menus */

  var wide = window.matchMedia('(min-width: 62rem)');
  var wider = window.matchMedia('(min-width: 80rem)');
  function open(selector, query) {
    var details = document.querySelector(selector);
    function set() {
      if (details) {
        details.open = query.matches;
      }
    }
    set();
    query.addEventListener('change', set);
  }
  open('.pages details', wide);
  open('.contents details', wider);
  var current = document.querySelector('.pages [aria-current]');
  if (current && wide.matches) {
    var list = document.querySelector('.pages');
    if (current.offsetTop > list.clientHeight * 0.8) {
      list.scrollTop = current.offsetTop - list.clientHeight / 2;
    }
  }

  /* code */

  if (navigator.clipboard) {
    document.querySelectorAll('article pre').forEach(function (block) {
      var around = document.createElement('div');
      around.className = 'copyable';
      block.replaceWith(around);
      var button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.addEventListener('click', function () {
        navigator.clipboard.writeText(block.innerText).then(
          function () { button.textContent = 'Copied'; },
          function () { button.textContent = 'Not copied'; });
        window.setTimeout(function () { button.textContent = 'Copy'; }, 2000);
      });
      around.append(block, button);
    });
  }

  /* search */

  var form = document.querySelector('form[role="search"]');
  var input = document.getElementById('search');
  var found = document.getElementById('found');
  var count = document.getElementById('found-count');
  var results = document.getElementById('found-list');
  form.hidden = false;

  // Its own script, and only for those who search: it is larger than the page.
  var loading = null;
  function index() {
    loading = loading || new Promise(function (resolve, reject) {
      var script = document.createElement('script');
      script.src = root + 'search-index.js';
      script.onload = function () {
        resolve(window.pglockPages.map(function (entry) {
          return {
            address: entry[0], title: entry[1], heading: entry[2], text: entry[3],
            lowerTitle: entry[1].toLowerCase(), lowerHeading: entry[2].toLowerCase(), lowerText: entry[3].toLowerCase(),
            words: entry[3].toLowerCase().split(BETWEEN).join(' ')
          };
        }));
      };
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  var BETWEEN = /[\s"'(),;:]+/;

  // Of a pasted message pids, times and names are found nowhere, so not every word has to be.
  function words(query) {
    var all = query.toLowerCase().split(BETWEEN).filter(Boolean);
    var telling = all.filter(function (word) { return word.length > 2 && !/^[\d.,]+(ms|s|m|h)?$/.test(word); });
    return Array.from(new Set(telling.length ? telling : all));
  }

  function pairs(query) {
    var all = query.toLowerCase().split(BETWEEN).filter(Boolean);
    return all.slice(1).map(function (word, at) { return all[at] + ' ' + word; });
  }

  function score(entry, terms, together) {
    var sum = 0;
    var hits = 0;
    terms.forEach(function (term) {
      var inTitle = entry.lowerTitle.includes(term);
      var inHeading = entry.lowerHeading.includes(term);
      var inText = entry.lowerText.includes(term);
      hits += inTitle || inHeading || inText ? 1 : 0;
      sum += (inTitle ? (entry.heading ? 3 : 8) : 0) + (inHeading ? 6 : 0) + (inText ? 2 : 0);
    });
    together.forEach(function (pair) {
      sum += entry.words.includes(pair) ? 6 : 0;
    });
    var name = entry.heading ? entry.lowerHeading : entry.lowerTitle;
    sum += name === terms.join(' ') ? 20 : 0;
    return hits === terms.length || (terms.length > 3 && hits >= terms.length * 0.6) ? sum : 0;
  }

  function marked(text, terms) {
    var part = document.createElement('span');
    var escaped = terms.map(function (term) { return term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'); });
    text.split(new RegExp('(' + escaped.join('|') + ')', 'i')).forEach(function (piece, at) {
      if (at % 2) {
        var mark = document.createElement('mark');
        mark.textContent = piece;
        part.append(mark);
      } else {
        part.append(piece);
      }
    });
    return part;
  }

  function excerpt(entry, terms) {
    var longest = terms.filter(function (term) { return entry.lowerText.includes(term); })
      .sort(function (a, b) { return b.length - a.length; })[0];
    var from = longest ? Math.max(0, entry.lowerText.indexOf(longest) - 60) : 0;
    var text = entry.text.substring(from, from + 180);
    return (from ? '... ' : '') + text + (from + 180 < entry.text.length ? ' ...' : '');
  }

  function show(entries, terms) {
    results.replaceChildren();
    entries.slice(0, 20).forEach(function (entry) {
      var link = document.createElement('a');
      link.href = root + entry.address;
      var name = document.createElement('strong');
      name.textContent = entry.title + (entry.heading ? ': ' + entry.heading : '');
      link.append(name, marked(excerpt(entry, terms), terms));
      var item = document.createElement('li');
      item.append(link);
      results.append(item);
    });
    count.textContent = entries.length === 0 ? 'Nothing found'
      : entries.length === 1 ? '1 section' : entries.length + ' sections';
    found.hidden = false;
  }

  function search() {
    var terms = words(input.value);
    var together = pairs(input.value);
    if (!terms.length) {
      found.hidden = true;
      return;
    }
    index().then(function (entries) {
      if (terms.join(' ') !== words(input.value).join(' ')) {
        return; // something else has been typed meanwhile
      }
      var scored = entries.map(function (entry, at) { return { entry: entry, score: score(entry, terms, together), at: at }; })
        .filter(function (one) { return one.score > 0; })
        .sort(function (a, b) { return b.score - a.score || a.at - b.at; });
      show(scored.map(function (one) { return one.entry; }), terms);
    }, function () {
      count.textContent = 'The index could not be loaded';
      found.hidden = false;
    });
  }

  input.addEventListener('input', search);
  input.addEventListener('focus', function () {
    index();
    search();
  });
  form.addEventListener('submit', function (event) {
    event.preventDefault();
    var first = results.querySelector('a');
    if (first && !found.hidden) {
      window.location.href = first.href;
      found.hidden = true;
    }
  });
  form.addEventListener('click', function (event) {
    if (event.target.closest('#found a')) {
      found.hidden = true;
    }
  });
  form.addEventListener('focusout', function (event) {
    if (!form.contains(event.relatedTarget)) {
      found.hidden = true;
    }
  });
  found.addEventListener('mousedown', function (event) {
    if (!event.target.closest('a')) {
      event.preventDefault(); // scrolling the results must not close them
    }
  });
  form.addEventListener('keydown', function (event) {
    var links = Array.from(results.querySelectorAll('a'));
    var at = links.indexOf(document.activeElement);
    if (event.key === 'Escape') {
      found.hidden = true;
      input.focus();
      found.hidden = true;
    } else if (event.key === 'ArrowDown' && links.length && !found.hidden) {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (event.key === 'ArrowUp' && at >= 0) {
      event.preventDefault();
      (at ? links[at - 1] : input).focus();
    }
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      input.focus();
    }
  });
}());
