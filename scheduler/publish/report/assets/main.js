"use strict";
/* Put it all together; the page is ready when the root element says so. */
D.districts.forEach((name, d) => byId("district").append(node("option", { value: d }, name)));
byId("district").addEventListener("change", (event) => setDistrict(Number(event.target.value)));
if (D.districts.length < 2) document.querySelector(".filter").hidden = true;
onDistrict(drawCards);
drawAlarm();
startMap();
drawHours();
drawHeat();
drawSpread();
onDistrict(drawWorst);
drawRemedies();
drawBefore();
drawFates();
drawSimulated();
startTables();
setDistrict(-1);
document.documentElement.dataset.ready = "yes";
