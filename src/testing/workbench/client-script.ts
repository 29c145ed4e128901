/**
 * The script of all pages, which work without it too. A form with `data-live` swaps the parts with `data-swap` after a
 * quarter of a second, and keeps the focus and the open folds. A list with `data-events` gets new rows, until Pause.
 */
export const CLIENT_SCRIPT = `const all=(query,root=document)=>[...root.querySelectorAll(query)];
const swap=text=>{const page=new DOMParser().parseFromString(text,'text/html');
for(const old of all('[data-swap]')){const now=page.getElementById(old.id);if(!now)continue;
const folds=new Map(all('details[data-key]',old).map(fold=>[fold.dataset.key,fold.open]));
for(const fold of all('details[data-key]',now))fold.open=folds.get(fold.dataset.key)??fold.open;old.replaceWith(now)}};
for(const form of all('form[data-live]')){let timer,last=0;const ask=async()=>{const mine=++last;
const url=form.action.split('?')[0]+'?'+new URLSearchParams(new FormData(form));
try{const text=await(await fetch(url)).text();if(mine===last){swap(text);history.replaceState(null,'',url)}}catch{}};
form.addEventListener('input',()=>{clearTimeout(timer);timer=setTimeout(ask,250)});
form.addEventListener('submit',event=>{event.preventDefault();clearTimeout(timer);ask()})}
for(const list of all('[data-events]')){const button=document.getElementById('pause'),count=document.getElementById('count');
let held=[],isHeld=false,total=+count.dataset.total;const show=row=>{list.insertAdjacentHTML('afterbegin',row);
list.firstElementChild.classList.add('new');while(list.children.length>200)list.lastElementChild.remove()};
button.hidden=false;button.addEventListener('click',()=>{isHeld=!isHeld;button.textContent=isHeld?'Go on':'Pause';
button.setAttribute('aria-pressed',isHeld);if(!isHeld)held.splice(0).slice(-200).map(show)});
new EventSource(list.dataset.events).addEventListener('row',({data})=>{const row=JSON.parse(data);
count.textContent=++total===1?'1 request':total+' requests';document.getElementById('none')?.remove();
isHeld?held.push(row):show(row)})}
`;
