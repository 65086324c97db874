export class Greeting {
    text(name) {
        return `hello ${name}`;
    }
}
