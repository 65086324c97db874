() => app.result
