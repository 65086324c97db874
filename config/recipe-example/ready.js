request => app.finished === request.nonce
