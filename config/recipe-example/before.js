// Only the tokens of this request are there, whatever an earlier one has left behind.
request => {
    localStorage.setItem('tokens', request.auth);
}
