// What ncurses has to know of xterm, for systems without descriptions of terminals, such as an image FROM scratch.
#pragma once

namespace asyncspy {

// The compiled form, as the variable TERMINFO takes it. It knows eight colours, the keys that asyncspy names, and no more than curses
// needs besides. Made of xterm_description.ti by:
//   tic -x -o FOLDER tui/xterm_description.ti && TERMINFO=FOLDER infocmp -0 -Q2 xterm
inline constexpr const char* kXtermDescription =
    "b64:GgEpAB0ADwBpAWgBeHRlcm18d2hhdCB0ZXJtaW5hbHMgb2YgdG9kYXkgdW5kZXJzdGFuZAAAAQAAAQAAAAEAAAAAAQEAAAAAAAAAAAAAAAAA"
    "AVAACAAYAP__________________________CABAAP__AAACAAQA__8VAB0AIQAlAP__MABBAEMARwBOAP__UABdAP__YQD_________________"
    "_2UAagD__3MA________eAD__30A_____4IAiQD_______-SAP__________________________mAD_____________mgD__________54AogCo"
    "AKwAsAC0ALoAwADGAMwA0gD_____1gD__9oA3wDkAP_______-gA7AD0AP_____________________________________________8AP______"
    "_wUBDgH__xcB________________________________IAH__ysBLQH_______8wAf______________________________________________"
    "______________________________8yATYB____________________________________________________________________________"
    "_________________________________________________________zoBQAH_________________________________________________"
    "______________________________________________________________________________________9GAf______________________"
    "_________________________________________________0sB____________________________________________________________"
    "______________________________________________________________________________________________________9UAV4BBwAN"
    "ABtbJWklcDElZDslcDIlZHIAG1tIG1sySgAbW0sAG1tKABtbJWklcDElZEcAG1slaSVwMSVkOyVwMiVkSAAKABtbSAAbWz8yNWwACAAbWz8xMmwb"
    "Wz8yNWgAG1tDABtbQQAbWzFtABtbPzEwNDloABtbMm0AG1s3bQAbWzRtABsoQhtbbQAbWz8xMDQ5bAAbWzI0bQB_ABtPQgAbT1AAG1syMX4AG09R"
    "ABtPUgAbT1MAG1sxNX4AG1sxN34AG1sxOH4AG1sxOX4AG1syMH4AG09IABtPRAAbWzZ-ABtbNX4AG09DABtPQQAbWz8xbBs-ABtbPzFoGz0AG1sl"
    "cDElZEIAG1slcDElZEQAG1slcDElZEMAG1slcDElZEEAG1slaSVwMSVkZAAKABtNAAkAG09GABtPTQAbWzIzfgAbWzI0fgAbWzFLABtbMzk7NDlt"
    "ABtbMyVwMSVkbQAbWzQlcDElZG0A";

}  // namespace asyncspy
