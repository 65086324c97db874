/* The same list as react.js, built by Vue from a template that it compiles in the page. */
(function () {
    const Item = {
        props: ['item'],
        data: () => ({ detail: null }),
        template: '<li :id="\'vue-\' + item.id">{{ item.name }}: {{ detail || "loading" }}</li>',
        async mounted() {
            const reply = await fetch('/api/detail?id=' + this.item.id);
            this.detail = (await reply.json()).text;
        },
    };
    const List = {
        components: { Item },
        data: () => ({ items: [], shown: false }),
        template:
            '<ul v-if="shown"><Item v-for="item in items" :key="item.id" :item="item" /></ul>' +
            '<p v-else>Vue waits</p>',
        async mounted() {
            setTimeout(() => {
                this.shown = true;
            }, 800);
            const reply = await fetch('/api/items');
            this.items = (await reply.json()).items;
        },
    };
    Vue.createApp(List).mount('#vue');
})();
