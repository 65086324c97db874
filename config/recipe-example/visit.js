request => app.show(request)
