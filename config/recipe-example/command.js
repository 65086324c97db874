request => app.run(request)
