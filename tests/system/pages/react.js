/* A list that React builds in three steps: a fetch, a timer, and a fetch that the timer starts. */
(function () {
    const e = React.createElement;

    function Item({ item }) {
        const [detail, setDetail] = React.useState(null);
        React.useEffect(() => {
            fetch('/api/detail?id=' + item.id)
                .then((reply) => reply.json())
                .then((value) => setDetail(value.text));
        }, [item.id]);
        return e('li', { id: 'react-' + item.id }, item.name + ': ', detail || 'loading');
    }

    function List() {
        const [items, setItems] = React.useState([]);
        const [shown, setShown] = React.useState(false);
        React.useEffect(() => {
            fetch('/api/items')
                .then((reply) => reply.json())
                .then((value) => setItems(value.items));
            const timer = setTimeout(() => setShown(true), 800);
            return () => clearTimeout(timer);
        }, []);
        if (!shown) {
            return e('p', null, 'React waits');
        }
        return e('ul', null, items.map((item) => e(Item, { key: item.id, item })));
    }

    ReactDOM.createRoot(document.getElementById('react')).render(e(List));
})();
