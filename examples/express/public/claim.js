const click = JSON.parse(document.getElementById('click').textContent);
const button = document.getElementById('claim');
const status = document.getElementById('claimed');

button.addEventListener('click', async () => {
  button.disabled = true;
  try {
    const answer = await fetch('/claim', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(click ?? {}),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { isReported } = await answer.json();
    status.textContent = isReported ? 'Claimed. Target has counted your click.' : 'Claimed.';
  } catch {
    status.textContent = 'That did not work. Please try again.';
    button.disabled = false;
  }
});
