request => app.loadModule(request)
