// pages.mjs: the pages that are rendered, and what shows that a result is complete.
//
// `want` lists texts that are all in a complete document. None of them is in what the
// origin serves for the page itself: they come from scripts, and the last one from the last
// step of them. run.mjs checks that before it measures.
// `small`: the page and all it loads are less than 100 kB, so rendering is mostly overhead.

const products = ['Quince jelly', 'Medlar wine'];

export const pages = [
    {name: 'static', want: ['a trivial page'], small: true},
    {name: 'timers', want: ['step 1 of the work', 'step 5 of the work'], small: true},
    {name: 'lazy', want: ['step 1 of the work', 'step 4 of the work'], small: true},
    {name: 'events', want: ['event 1', 'event 3'], small: true},
    {name: 'alpine', want: products, small: true},
    {name: 'handlebars', want: products, small: true},
    {name: 'knockout', want: products, small: true},
    {name: 'mithril', want: products, small: true},
    {name: 'preact', want: products, small: true},
    {name: 'solid', want: products, small: true},
    {name: 'lit', want: products, small: true},
    {name: 'marked', want: ['The orchard</h1>', 'twice as wide</strong>'], small: true},
    {name: 'svelte', want: products},
    {name: 'htmx', want: ['fragment 1 of 3', 'fragment 3 of 3']},
    {name: 'angular', want: products},
    {name: 'backbone', want: products},
    {name: 'vue', want: ['Quince jelly: made in October', 'Medlar wine: made in November']},
    {name: 'react', want: ['made in October', 'made in November']},
    {name: 'leaflet', want: ['leaflet-tile-loaded', 'leaflet-popup-content', ...products.slice(0, 1)]},
    {name: 'chart', want: ['Quince jelly drawn', 'Medlar wine drawn']},
    {name: 'd3', want: ['Quince jelly: 50 px', 'Medlar wine: 150 px']},
    {name: 'katex', want: ['class="katex"', 'class="mord sqrt']},
    {name: 'docsify', want: ['The orchard', 'Harvest</a>', 'twice as wide</strong>']},
    {name: 'reveal', want: ['An orchard in slides', 'The second slide', 'class="backgrounds"']},
    {name: 'vega', want: ['Fruit of the harvest', 'Quince jelly', 'mark-rect']},
    {name: 'mermaid', want: ['<svg', 'Harvest in autumn']},
    {name: 'swagger-ui', want: ['The orchard interface', 'Remove one of the orchards']},
    {name: 'redoc', want: ['The orchard interface', 'Remove one of the orchards']},
    {name: 'rapidoc', want: ['The orchard interface', 'Remove one of the orchards']},
];

export const isComplete = (page, html) => page.want.every(text => html.includes(text));
