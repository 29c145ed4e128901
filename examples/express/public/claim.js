// Sends the click without leaving the page. Without this script the form sends it, and the page comes again.
const click = JSON.parse(document.getElementById('click').textContent);
const form = document.getElementById('claim');
const button = form.querySelector('button');
const status = document.getElementById('claimed');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(click ?? {}),
    });
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const { isReported } = await answer.json();
    status.textContent = isReported ? 'Claimed. Target has counted your click.' : 'Claimed.';
  } catch {
    status.textContent = 'That did not work. Please try again.';
    button.disabled = false;
  }
});
